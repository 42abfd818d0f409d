"""What a format of corpus offers: its references listed, and a raw record read for each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from annotate.corpora.generated import Truth

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
        captions: `REQUIRED`, or `OPTIONAL`: a picture without any is kept, to be captioned by an annotator.
    """

    format: str
    location: str
    image: str = ""
    caption: str = ""
    split: str = ""
    seed: int = 0
    max_side: int = MAX_SIDE
    captions: str = REQUIRED

    @property
    def needs_captions(self) -> bool:
        """Whether a picture without a caption is dropped."""
        return self.captions != OPTIONAL

    def __str__(self) -> str:
        ordinary = Corpus(self.format, self.location)
        options = {field.name: getattr(self, field.name) for field in fields(self)}
        query = urlencode({name: value for name, value in options.items() if value != getattr(ordinary, name)})
        return f"{self.format}:{self.location}" + (f"?{query}" if query else "")

    @classmethod
    def from_text(cls, text: str) -> "Corpus":
        """The corpus that `str(corpus)` wrote."""
        named, _, query = text.partition("?")
        kind, _, location = named.partition(":")
        options: dict[str, Any] = dict(parse_qsl(query))
        options |= {name: int(options[name]) for name in ("seed", "max_side") if name in options}
        return cls(kind, location, **options)


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
        truth: exact conditions by family, of generated corpora.
    """

    reference: Reference
    image: bytes
    captions: Sequence[str | bytes]
    about: Mapping[str, Any] = field(default_factory=dict)
    truth: Mapping[str, Truth] = field(default_factory=dict)


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
