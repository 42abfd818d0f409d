"""What can be wrong with a caption, as numbers for `where`: nothing said, broken encoding, boilerplate, links, markup.

Of a row's first caption. Counts of whole words and letters are Unicode's, so that captions in any language are judged
alike; where a language puts no spaces between words, a run of its letters is one word.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import pyarrow as pa
import torch

from annotate.annotator import STORED, Annotate, Annotator, Parameters
from annotate.mojibake import misread
from annotate.stored import Stored
from manifests.condition import Kind
from manifests.figures import Scores

WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
URL = re.compile(r"(?:https?|ftp)://\S|\bwww\.\w|\b[\w-]{1,80}\.(?:com|net|org|info|co\.uk)\b", re.I)
TAG = re.compile(
    r"</?[a-z][a-z0-9]{0,9}(?:\s[^<>]{0,500})?/?>|&(?:[a-z]{2,8}|#\d{1,6}|#x[0-9a-f]{1,5});|\[/?(?:url|img|b|i)\]", re.I
)
FILE_NAME = re.compile(
    r"\b(?:img|dscn?|dscf|pict|sam|mvi|gopr|pxl|screenshot|image|photo|untitled)[ _-]?\d{2,}"
    r"|\b[\w-]{1,80}\.(?:jpe?g|png|gif|bmp|tiff?|webp|heic|svg|raw|cr2|nef|psd)\b",
    re.I,
)
BROKEN = {"Cc", "Co", "Cs", "Cn"}  # categories of Unicode: control, private use, half a character, no character
REPLACEMENT = "\ufffd"  # what a decoder writes for what it can't read


@dataclass(frozen=True)
class CaptionQuality(Annotator):
    """Numbers about a caption."""

    name: ClassVar[str] = "caption_quality"
    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = "scores"
    stats: ClassVar[dict[str, pa.DataType]] = {
        "characters": pa.int32(),
        "words": pa.int32(),
        **{name: pa.float32() for name in ("odd", "latin", "capitals", "repeated")},
        **{name: pa.int32() for name in ("urls", "tags", "file_names")},
    }

    @property
    def reads(self) -> str:
        """Rows of images/."""
        return STORED

    def load(self, device: torch.device) -> Annotate:
        """Nothing to load."""
        return judge_captions

    def measure(self, condition: Scores) -> dict[str, Any]:
        """See `judge`."""
        return dict(condition.values)

    def empty(self, condition: Scores) -> bool:
        """Nothing is said."""
        return condition.values["characters"] == 0


def judge_captions(rows: Sequence[Stored], parameters: Sequence[Parameters]) -> list[Scores]:
    """The numbers of B rows."""
    return [Scores(row.size, judge(next(iter(row.captions), ""))) for row in rows]


def judge(caption: str) -> dict[str, Any]:
    """The stats of one caption, by name.

    `characters` and `words`: how many. `odd`: share of the characters that are broken: replacement, control and private
    characters, and text read in the wrong encoding. `latin`: share of the letters that are of Latin script, `capitals`:
    that are upper case; None where there is no letter. `repeated`: share of the words that were there before, 2/3 of
    "buy buy buy". `urls`, `tags` (HTML's, its entities, a forum's) and `file_names` (IMG_1234, cat.jpg): how many.
    """
    text = caption.strip()
    counts = Counter(text)
    letters = {letter: count for letter, count in counts.items() if letter.isalpha()}
    total = sum(letters.values())
    words = WORD.findall(text.casefold())
    broken = sum(count for letter, count in counts.items() if _is_broken(letter)) + misread(text)
    return {
        "characters": len(text),
        "words": len(words),
        "odd": min(1.0, broken / max(len(text), 1)),
        "latin": sum(count for letter, count in letters.items() if _is_latin(letter)) / total if total else None,
        "capitals": sum(count for letter, count in letters.items() if letter.isupper()) / total if total else None,
        "repeated": 1 - len(set(words)) / len(words) if words else 0.0,
        "urls": len(URL.findall(text)),
        "tags": len(TAG.findall(text)),
        "file_names": len(FILE_NAME.findall(text)),
    }


@lru_cache(maxsize=4096)
def _is_latin(letter: str) -> bool:
    return "LATIN" in unicodedata.name(letter, "")  # FULLWIDTH LATIN …, FEMININE ORDINAL apart


@lru_cache(maxsize=4096)
def _is_broken(letter: str) -> bool:
    return letter == REPLACEMENT or (unicodedata.category(letter) in BROKEN and not letter.isspace())
