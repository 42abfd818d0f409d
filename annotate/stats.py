"""What is measured of conditions by their kind, whoever made them: the columns that `where` asks about."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifests.condition import NO_CLASS
from manifests.figures import Poses, Segments


def of_edges(edges: NDArray[np.uint8], top: float) -> dict[str, float]:
    """`edge_density`: mean of an edge map [H, W] whose strongest edge is `top`, from 0 (none) to 1 (all edge)."""
    return {"edge_density": float(edges.mean()) / top}


def of_depth(depth: NDArray[np.float32]) -> dict[str, float]:
    """`dynamic_range`: how far the farthest lies behind the nearest, as a share of the largest inverse depth [H, W].

    0: flat; 0.5: twice as far, as far as the network's zero is infinity; 1: at infinity.
    """
    low, high = float(depth.min()), float(depth.max())
    largest = max(abs(low), abs(high))
    return {"dynamic_range": (high - low) / largest if largest else 0.0}


def of_people(poses: Poses) -> dict[str, float]:
    """`persons`; `keypoints`, of all of them; `largest_person`, the share of the picture that the largest box takes."""
    found = [person[person[:, 2] > 0, :2] for person in poses.people]
    areas = [float(np.prod(points.max(0) - points.min(0))) for points in found if len(points)]
    return {
        "persons": len(found),
        "keypoints": sum(map(len, found)),
        "largest_person": max(areas, default=0.0) / (poses.shape[0] * poses.shape[1]),
    }


def of_classes(classes: NDArray[np.uint8]) -> dict[str, float]:
    """`classes`: how many there are in [H, W]; `entropy`: of their shares of the picture, bits, 0 for a single one."""
    counts = np.bincount(classes.ravel(), minlength=NO_CLASS + 1)[:NO_CLASS]
    shares = counts[counts > 0] / max(int(counts.sum()), 1)
    return {"classes": len(shares), "entropy": float(np.sum(shares * np.log2(1 / shares)))}


def of_lines(segments: Segments) -> dict[str, Any]:
    """`lines`: how many."""
    return {"lines": len(segments.lines)}
