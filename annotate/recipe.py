"""A recipe: the settings of an annotator, and the rows worth training on, that made a published data set."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from annotate.registry import build, nearest
from manifests.where import check
from manifests.yaml_file import read_mapping

FOLDER = Path(__file__).parent / "recipes"


class Recipe(BaseModel):
    """How one family is made, and which of its rows a manifest should take.

    Attributes:
        family: the family it makes.
        annotator: by which annotator.
        settings: of the annotator, where they are not its defaults.
        where: for manifests, as in `manifests.where`; "" takes all rows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    family: str
    annotator: str
    settings: dict[str, Any] = {}
    where: str = ""

    @property
    def words(self) -> str:
        """The family as one names it to `annotate.task.make_tasks`."""
        return f"{self.family}={self.annotator}"

    @property
    def overrides(self) -> list[str]:
        """The settings, as `--set` takes them."""
        return [f"{self.family}.{name}={json.dumps(value)}" for name, value in self.settings.items()]


def load_recipe(name: str) -> Recipe:
    """Read a recipe of `annotate/recipes/` by its name, or any by its path.

    Raises:
        ValueError: there is no such file, or it asks for what can't be; names the file and the field.
    """
    path, shape = _find(name), f"A recipe has the fields {', '.join(Recipe.model_fields)}"
    fields = read_mapping(path, absent="there is no such recipe", otherwise=shape)
    try:
        recipe = Recipe.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}. {shape}") from error
    build(recipe.annotator, recipe.settings, str(path))
    if recipe.where:
        try:
            check(recipe.where)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    return recipe


def known_recipes() -> list[str]:
    """Names of the recipes that lie here."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def _find(name: str) -> Path:
    known = known_recipes()
    if name in known:
        return FOLDER / f"{name}.yaml"
    path = Path(name).expanduser()
    if path.is_file():
        return path
    raise ValueError(
        f"--recipe {name}: no recipe of that name{nearest(name, known)}, and no such file. There are {', '.join(known)}"
    )
