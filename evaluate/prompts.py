"""Prompt regimes of the paper (4.1): what is said to a model about the picture whose condition it is given."""

from dataclasses import replace

from evaluate.samples import Sample
from manifests.evaluate_settings import Prompts


def prompted(sample: Sample, regime: Prompts, *, other: Sample | None) -> Sample:
    """The sample under a regime.

    Args:
        regime: "perfect": its own captions; "none": no words; "insufficient": the last half of each caption's words,
            rounded down, so that what is named first goes unsaid; "conflicting": the other sample's captions.
        other: another sample of the test split, the one whose condition the swapped arm is scored against.

    Raises:
        ValueError: The captions shall conflict, and there is no other sample.
    """
    if regime == "none":
        return replace(sample, captions=("",))
    if regime == "insufficient":
        return replace(sample, captions=tuple(last_half(caption) for caption in sample.captions))
    if regime == "conflicting":
        if other is None:
            raise ValueError("evaluate.prompts: conflicting: no other sample has words to take. Raise samples")
        return replace(sample, captions=other.captions)
    return sample


def last_half(caption: str) -> str:
    """The last half of its words, rounded down, without a comma at the beginning; of one word none."""
    words = caption.split()
    return " ".join(words[(len(words) + 1) // 2 :]).lstrip(",; ")
