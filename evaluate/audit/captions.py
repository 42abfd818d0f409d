"""Captions: each belongs to the picture of its row, by its key, by CLIP, or better than the same captions shuffled."""

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from annotate.stored import Stored
from evaluate.audit.again import Again
from evaluate.audit.association import (
    Test,
    likeness_of_looks,
    likeness_of_words,
    named_presence,
    test_kernels,
    test_scores,
)
from evaluate.audit.evidence import Evidence
from evaluate.audit.looks import NAMES, SYNONYMS, colours, layout
from evaluate.audit.verdict import Verdict, share_verdict, skipped
from manifests.record import row_key

CERTAIN = 0.005  # of shuffled corpora one test or another would call so many paired
WEAKEST = (
    0.4  # standard deviations by the root of the rows: photographs of ImageNet, the weakest of five paired corpora
)
ENOUGH = 50  # rows that name something, to call captions unpaired
SCORE = "clip_score"
ASKED = ENOUGH  # rows whose captions are each put beside the pictures of all
FEWEST = 8  # rows, to ask at all
PEOPLE = {
    "person",
    "people",
    "man",
    "men",
    "woman",
    "women",
    "boy",
    "girl",
    "child",
    "children",
    "kid",
    "kids",
    "player",
}
PEOPLE |= {"boys", "girls", "players", "baby", "lady", "guy", "crowd"}


def check_captions(evidence: Evidence) -> Iterator[Verdict]:
    """Keys of the rows, which certainty is had by, then statistics."""
    read = evidence.pictures
    bad = [at for at, row in read.items() if row_key(row["sha256"], "\n".join(row["captions"])) != row["key"]]
    yield share_verdict(
        "captions",
        "",
        bad=len(bad),
        of=len(read),
        found=f"{len(bad)} of {len(read)} rows have another caption or picture than their keys were made of",
        remedy="images/ was changed by hand. Ingest the corpus again",
        places=tuple(bad[:6]),
    )
    if not bad:
        yield _by_statistics(evidence)


def _by_statistics(evidence: Evidence) -> Verdict:
    """Whether the corpus pairs captions with pictures better than chance would."""
    tests = [test for test in _tests(evidence) if test.rows >= FEWEST]
    if not tests:
        return skipped("captions", "", f"fewer than {FEWEST} captions that were read name colours or share words")
    best = min(tests, key=lambda test: (test.p, -test.sigmas))
    said = "; ".join(f"{test.name}: {test.sigmas:+.1f} σ over {test.rows} rows, p {test.p:.2g}" for test in tests)
    threshold = f"p < {CERTAIN / len(tests):.2g} in one of {len(tests)} tests against shuffled captions"
    if best.p < CERTAIN / len(tests):
        found = f"captions fit their pictures better than the same ones shuffled ({said})"
        return Verdict("captions", "", "pass", found, best.p, "p", threshold)
    strong = [test for test in tests if test.name != WORDS and test.rows >= ENOUGH]
    if any(test.sigmas < WEAKEST / 2 * np.sqrt(test.rows) for test in strong):
        remedy = "captions were put beside other pictures: look at how the corpus joins the two, and ingest it again"
        shown = tuple(evidence.sample.places[:6].tolist())
        found = f"captions fit their pictures no better than shuffled ones ({said})"
        return Verdict("captions", "", "fail", found, best.p, "p", threshold, remedy, shown)
    if all(test.rows < ENOUGH for test in tests):
        return skipped("captions", "", f"too little is named to tell captions from shuffled ones ({said})")
    remedy = (
        f"too little is named to be sure: audit more rows (--sample), or look at gallery.py {evidence.dataset.root}"
    )
    found = f"captions can't be told from shuffled ones ({said})"
    return Verdict(
        "captions", "", "warn", found, best.p, "p", threshold, remedy, tuple(evidence.sample.places[:6].tolist())
    )


WORDS = "likeness"


def _tests(evidence: Evidence) -> Iterator[Test]:
    seen = {place: one.thumbnail for place, one in evidence.looks.items() if one}
    places, thumbnails = list(seen), list(seen.values())
    words = [set(re.findall(r"\w+", " ".join(evidence.pictures[at]["captions"]).lower())) for at in places]
    if len(places) < FEWEST:
        return
    column = {name: number for number, name in enumerate(NAMES)}
    named = [
        {column[SYNONYMS.get(word, word)] for word in said if SYNONYMS.get(word, word) in column} for said in words
    ]
    yield test_scores("colours", named_presence(named, np.array([colours(one) for one in thumbnails])), evidence.seed)
    persons = _persons(evidence, places)
    if persons is not None:
        people = [{0} if said & PEOPLE else {1} for said in words]
        presence = np.column_stack([persons, -persons]).astype(float)
        if any(0 in one for one in people) and any(1 in one for one in people):
            yield test_scores("people", named_presence(people, presence), evidence.seed)
    if (clip := _by_clip(evidence)) is not None:
        yield clip
    looks = likeness_of_looks(np.array([layout(one) for one in thumbnails]))
    yield test_kernels(WORDS, likeness_of_words(words), looks, evidence.seed)


def _persons(evidence: Evidence, places: list[int]) -> NDArray[np.float64] | None:
    """How many people a family of keypoints finds in each of these rows: [N]; None where there is no such family."""
    for family in evidence.families.values():
        table = family.index
        if table is not None and family.card.kind == "keypoints" and "persons" in table.column_names:
            persons = np.nan_to_num(table["persons"].to_numpy(zero_copy_only=False).astype(float))
            return np.asarray(persons[places], np.float64)
    return None


def _by_clip(evidence: Evidence) -> Test | None:
    """Own captions against others', by the family's own CLIP; None where there is none, or its weights are not here."""
    for family in evidence.families.values():
        if SCORE not in family.card.stats or isinstance(family.again, str):
            continue
        rows = [Stored.of(evidence.pictures[pair.place]) for pair in family.pairs if pair.status == "ok"][:ASKED]
        if len(rows) < FEWEST:
            return None
        scores = np.array([[_score(family.again, row, other) for other in rows] for row in rows])
        return test_scores("CLIP", scores, evidence.seed)
    return None


def _score(again: Again, picture: Stored, words: Stored) -> float:
    """How well the words of one row fit the picture of another."""
    made = again(Stored(picture.data, words.captions), "", None)
    return float(made.values[SCORE])
