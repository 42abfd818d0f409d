"""What a control is shown beside the condition that is scored: of the same row, of another one, or nothing."""

from collections.abc import Sequence
from dataclasses import replace

from evaluate.samples import Sample
from manifests.evaluate_settings import Beside


def accompanied(sample: Sample, beside: Beside, *, others: Sequence[Sample]) -> Sample:
    """The sample with what is shown beside its condition.

    Args:
        beside: "own": its own further conditions; "another": those of the first other sample that has them all, so that
            two conditions are of two pictures; "none": none, each marked as absent.
        others: other samples, the one whose condition the swapped arm is scored against first.

    Raises:
        ValueError: Another's shall be shown, and none of the others has them all.
    """
    if beside == "none":
        return replace(sample, further=(None,) * len(sample.further))
    if beside == "another":
        having = (other for other in others if all(condition is not None for condition in other.further))
        rival = next(having, None)
        if rival is None:
            raise ValueError(
                f"evaluate.beside: another: none of the {len(others)} samples that {sample.key} is held against has "
                "all of the conditions that are shown beside. Raise evaluate.samples, or set evaluate.beside to none"
            )
        return replace(sample, further=rival.further)
    return sample
