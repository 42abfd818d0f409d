"""Recipes hold the settings and the rows of published data sets."""

import dataclasses
from pathlib import Path

import pyarrow as pa
import pytest

from annotate.recipe import FOLDER, Recipe, known_recipes, load_recipe
from annotate.registry import build
from manifests.where import check, select
from pipelines.annotate import ask

ROWS = {"width": pa.int32(), "height": pa.int32(), "caption_length": pa.int32()}


@pytest.mark.parametrize("name", known_recipes())
def test_a_recipe_fits_its_annotator_and_its_where_the_stats(name: str) -> None:
    recipe = load_recipe(name)
    built = build(recipe.annotator, recipe.settings, name)
    columns = {**ROWS, **built.parameters, **built.stats}
    assert {column for (column,) in check(recipe.where)} <= {*built.stats}
    select(recipe.where, {recipe.family: pa.schema(list(columns.items())).empty_table()})


@pytest.mark.parametrize("name", known_recipes())
def test_a_recipe_says_where_it_is_from_and_what_is_uncertain(name: str) -> None:
    said = " ".join(line for line in (FOLDER / f"{name}.yaml").read_text().splitlines() if line.startswith("#"))
    assert "Source: " in said
    assert "Uncertain: " in said


def test_settings_of_a_recipe_reach_the_annotator_unless_the_user_overrides_them() -> None:
    recipe = load_recipe("canny_random")
    words, settings = ask(["canny", "hed"], [recipe], ["canny_random.seed=3"])
    assert words == ["canny", "hed", "canny_random=canny"]
    assert settings == ["canny_random.low_range=[50, 125]", "canny_random.high_range=[125, 300]", "canny_random.seed=3"]


def test_the_synthesis_draws_what_the_recipe_says() -> None:
    scribble = build("scribble", load_recipe("scribble_synthesis").settings, "test")
    drawn = [scribble.draw(f"key {number}") for number in range(500)]
    assert {row["line_width"] for row in drawn} == set(range(1, 25))
    assert 0.75 < sum(row["thinned"] for row in drawn) / 500 < 0.85


def test_three_quarters_of_the_maps_of_a_safe_recipe_are_safe() -> None:
    hed = build("hed", load_recipe("hed_safe").settings, "test")
    assert 0.7 < sum(hed.draw(f"key {number}")["safe"] for number in range(1000)) / 1000 < 0.8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("family: a\nannotator: canny\nsetings: {}", "setings: Extra inputs"),
        ("family: a", "annotator: Field required"),
        ("- canny", r"A recipe has the fields family, annotator, settings, where"),
        ("family: [", "not YAML"),
        ("family: a\nannotator: cany", "no annotator 'cany' .did you mean 'canny'"),
        ("family: a\nannotator: canny\nsettings: {lo: 5}", "no setting 'lo' .did you mean 'low'"),
        ("family: a\nannotator: canny\nwhere: count(*) > 3", "where 'count"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused_by_file_and_field(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"mine\.yaml: .*{message}"):
        load_recipe(str(path))


def test_a_name_that_is_no_recipe_is_answered_with_those_there_are() -> None:
    with pytest.raises(
        ValueError, match=r"no recipe of that name \(did you mean 'canny_random'.*There are canny_random"
    ):
        load_recipe("canny_randm")
    with pytest.raises(ValueError, match="no family is named"):
        ask([], [], [])


def test_a_recipe_of_ones_own_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("family: faint\nannotator: canny\nsettings: {low: 20}")
    recipe = load_recipe(str(path))
    assert recipe == Recipe(family="faint", annotator="canny", settings={"low": 20})
    assert dataclasses.asdict(build(recipe.annotator, recipe.settings, "test"))["low"] == 20
