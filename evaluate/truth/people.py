"""People against keypoints that people labelled: COCO's average precision over object keypoint similarities.

Labels without a keypoint, and crowds, are neither asked for nor held against what is found there; at most twenty people
of a picture count.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluate.measures.average_precision import Matches, Person, match, precisions, together
from manifests.figures import BODY, Poses

MOST = 20  # people found in a picture that count, those of the best scores


@dataclass(frozen=True, eq=False)
class Label:
    """A person as labelled.

    Attributes:
        points: [17, 3] x, y in pixels, and whether it is labelled (0 if not).
        box: x, y, width, height in pixels.
        area: of the person's outline, pixels.
        crowd: stands for many, whom nobody has labelled one by one.
    """

    points: NDArray[np.float64]
    box: tuple[float, float, float, float]
    area: float
    crowd: bool = False

    @property
    def annotation(self) -> Person:
        """As COCO has it."""
        return {
            "keypoints": self.points.ravel().tolist(),
            "num_keypoints": int(np.count_nonzero(self.points[:, 2])),
            "bbox": self.box,
            "area": self.area,
            "iscrowd": int(self.crowd),
        }


def average_precision(found: Sequence[Poses], labels: Sequence[Sequence[Label]]) -> dict[str, float]:
    """AP over OKS from 0.50 to 0.95, AP at 0.50, and recall at 0.50, of pictures; each in [0, 1], higher is better.

    Args:
        found: people of each picture, in OpenPose's order; the score of a person is the mean of its points' scores.
        labels: of each picture.
    """
    people = together([_match(poses, asked) for poses, asked in zip(found, labels, strict=True)])
    at_each = precisions(people)
    return {
        "OKS AP": float(at_each.mean()),
        "AP at 0.50": float(at_each[0]),
        "recall at 0.50": float(people.right[:, 0].sum() / max(people.asked, 1)),
    }


def _match(poses: Poses, labels: Sequence[Label]) -> Matches:
    bodies = [person[:BODY].astype(np.float64) for person in poses.people]
    return match([label.annotation for label in labels], bodies, most=MOST)
