"""What a format of corpus offers: its references listed, and a raw record read for each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from annotate.opening import Unusable
from annotate.provided.provision import Provision, parse
from annotate.provided.reading import Cell, Reading

MAX_SIDE = 2_048  # pixels
REQUIRED, OPTIONAL = "required", "optional"  # captions


@dataclass(frozen=True)
class Corpus:
    """A corpus, fully named: as text it is `format:location?option=value`, and stands so in dataset.json.

    Attributes:
        location: absolute path or pattern, name on the Hub, or number of records to generate.
        image, caption: the columns to read, "" for the obvious ones.
        split: of a Hugging Face dataset, "" for all.
        seed: of a generated corpus.
        max_side: longer pictures are shrunk to this many pixels; 0 for no bound.
        provided: conditions that it carries, as `FAMILY=FORM:FIELD`.
        captions: `REQUIRED`, or `OPTIONAL`: a picture without any is kept, to be captioned by an annotator.
    """

    format: str
    location: str
    image: str = ""
    caption: str = ""
    split: str = ""
    seed: int = 0
    max_side: int = MAX_SIDE
    provided: tuple[str, ...] = ()
    captions: str = REQUIRED

    @property
    def needs_captions(self) -> bool:
        """Whether a picture without a caption is dropped."""
        return self.captions != OPTIONAL

    def __str__(self) -> str:
        ordinary = Corpus(self.format, self.location)
        options = {field.name: getattr(self, field.name) for field in fields(self)}
        changed = {name: value for name, value in options.items() if value != getattr(ordinary, name)}
        query = urlencode(changed, doseq=True)
        return f"{self.format}:{self.location}" + (f"?{query}" if query else "")

    @classmethod
    def from_text(cls, text: str) -> "Corpus":
        """The corpus that `str(corpus)` wrote."""
        named, _, query = text.partition("?")
        kind, _, location = named.partition(":")
        said = parse_qsl(query)
        options: dict[str, Any] = {name: value for name, value in said if name != "provided"}
        options |= {name: int(options[name]) for name in ("seed", "max_side") if name in options}
        return cls(kind, location, **options, provided=tuple(value for name, value in said if name == "provided"))

    @cached_property
    def provisions(self) -> tuple[Provision, ...]:
        """The conditions that it carries."""
        return parse(self.provided)

    @cached_property
    def fields(self) -> frozenset[str]:
        """Where its records have them."""
        return frozenset(provision.field for provision in self.provisions)


class Reference(NamedTuple):
    """Where a record lies: a file (or other source) and the record's place in it. References sort."""

    source: str
    member: str


@dataclass(frozen=True)
class Raw:
    """A record that could be read.

    Attributes:
        image: an encoded picture, of whatever kind.
        captions: text, or bytes that should be UTF-8; none when the corpus has no caption for it.
        about: what else the corpus says of the record, under the corpus's own names.
        provided: by family, the condition that the corpus carries: as it lies there, as it is known of a generated
            picture, or why it could not be read; a family that it has none for is left out.
    """

    reference: Reference
    image: bytes
    captions: Sequence[str | bytes]
    about: Mapping[str, Any] = field(default_factory=dict)
    provided: Mapping[str, Cell | Reading | Unusable] = field(default_factory=dict)


@dataclass(frozen=True)
class Lost:
    """A record that could not be read, and why."""

    reference: Reference
    reason: str
    detail: str


@dataclass(frozen=True)
class Format:
    """How one kind of corpus is listed and read.

    Attributes:
        plan: every reference in the corpus, in any order; cheap beside reading.
        read: a record (or its loss) for each reference, in the order of the references.
    """

    plan: Callable[[Corpus], Iterator[Reference]]
    read: Callable[[Corpus, Sequence[Reference]], Iterator[Raw | Lost]]
