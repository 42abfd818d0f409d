"""Generated corpora as records: row numbers are their references, and the renderer's truth comes along."""

from collections.abc import Iterator, Sequence

from annotate.corpora import fill50k, playroom
from annotate.corpora.format import Corpus, Raw, Reference
from annotate.corpora.generated import Generated
from annotate.image import encode_generated
from annotate.provided.reading import Reading

DRAW = {"playroom": playroom.record, "fill50k": fill50k.record}


def plan(corpus: Corpus) -> Iterator[Reference]:
    """Rows 0 to N - 1."""
    source = f"{corpus.format}:seed={corpus.seed}"
    return (Reference(source, f"{row:09d}") for row in range(int(corpus.location)))


def read(corpus: Corpus, references: Sequence[Reference]) -> Iterator[Raw]:
    """Draw the rows referred to."""
    for reference in references:
        record = draw(corpus, int(reference.member))
        about = {"id": f"{corpus.seed}/{int(reference.member)}", "licence": "CC0-1.0"}
        known = {family: Reading(truth.condition) for family, truth in record.truth.items()}
        yield Raw(reference, encode_generated(record.image), [record.caption], about, known)


def draw(corpus: Corpus, row: int) -> Generated:
    """One record of a generated corpus."""
    return DRAW[corpus.format](corpus.seed, row)
