"""What a user says of a condition that the corpus carries: `FAMILY=FORM:FIELD`, and the family's card."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from annotate.provided.forms import FORMS
from annotate.provided.measures import stats_of
from manifests.family import FamilyCard
from manifests.layout import FAMILY_NAME, RESERVED
from manifests.provenance import versions

PROVIDED = "provided"  # stands for an annotator on the family's card
VERSION = 1  # bump when any value that is stored can change
EXAMPLE = "gt_depth=depth-farther:depth.png"


@dataclass(frozen=True)
class Provision:
    """One family that comes with a corpus.

    Attributes:
        form: a key of `FORMS`.
        field: where records have it: suffix of the file beside the picture, extension in the tar, or column.
    """

    family: str
    form: str
    field: str

    def __str__(self) -> str:
        return f"{self.family}={self.form}:{self.field}"

    @property
    def card(self) -> FamilyCard:
        """The family's."""
        kind = FORMS[self.form].kind
        return FamilyCard(
            family=self.family,
            annotator=PROVIDED,
            version=VERSION,
            kind=kind,
            settings={"form": self.form, "field": self.field},
            packages=versions(),
            stats=stats_of(kind),
        )


def parse(words: Sequence[str]) -> tuple[Provision, ...]:
    """Families that a user means, sorted by name, so that the same ones are the same text.

    Raises:
        ValueError: not of the form, a name that is taken or comes twice, or no such form.
    """
    provisions = tuple(sorted((_parse(word) for word in words), key=lambda provision: provision.family))
    family, times = Counter(provision.family for provision in provisions).most_common(1)[0] if provisions else ("", 1)
    if times > 1:
        raise ValueError(f"--provided: family {family} is named twice. Give each a name of its own")
    return provisions


def check_found(provisions: Sequence[Provision], found: Collection[str], where: str) -> None:
    """Refuse a corpus none of whose records has a field, which is more likely misspelt than empty.

    Args:
        found: fields that some record has.
    """
    for provision in provisions:
        if provision.field not in found:
            raise ValueError(f"{where}: no record has {provision.field}. Mend --provided {provision}, or leave it out")


def _parse(words: str) -> Provision:
    family, _, rest = words.partition("=")
    form, _, field = rest.partition(":")
    if not field.strip("."):
        raise ValueError(f"--provided {words}: not of the form FAMILY=FORM:FIELD, as in {EXAMPLE}")
    if family in RESERVED or not FAMILY_NAME.fullmatch(family):
        raise ValueError(
            f"--provided {words}: family {family!r} is a name of the layout, or has odd characters. Use a-z, 0-9 and _"
        )
    if form not in FORMS:
        raise ValueError(f"--provided {words}: no form {form!r}. There are {', '.join(FORMS)}; see docs/provided.md")
    return Provision(family, form, field.removeprefix("."))
