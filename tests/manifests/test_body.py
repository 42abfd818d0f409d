"""The tables of a body agree with one another, joint by joint and name by name."""

import numpy as np

from manifests.body import COCO_OF_BODY, DRAWN, FIELDS, JOINTS, LIMBS, NECK, OPENPOSE_OF_COCO, OTHER_SIDE, SIGMAS
from manifests.figures import BODY

COCO = ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
        "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
        "right_ankle")  # fmt: skip


def mirrored(name: str) -> str:
    return name.replace("left", "*").replace("right", "left").replace("*", "right")


def test_in_a_mirror_left_is_right() -> None:
    assert len(JOINTS) == BODY
    assert [JOINTS[joint] for joint in OTHER_SIDE] == [mirrored(name) for name in JOINTS]
    assert np.array_equal(SIGMAS[list(OTHER_SIDE)], SIGMAS)
    assert {frozenset(OTHER_SIDE[end] for end in limb) for limb in LIMBS} == {frozenset(limb) for limb in LIMBS}


def test_coco_s_keypoints_keep_their_names() -> None:
    assert tuple(JOINTS[joint] for joint in OPENPOSE_OF_COCO) == COCO
    assert [COCO[point] for point in COCO_OF_BODY] == [name for name in JOINTS if name != JOINTS[NECK]]


def test_every_limb_has_a_field_and_all_but_those_to_the_ears_are_drawn() -> None:
    assert sorted(FIELDS) == list(range(0, 2 * len(LIMBS), 2))
    assert [tuple(JOINTS[end] for end in limb) for limb in LIMBS if limb not in DRAWN] == [
        ("right_shoulder", "right_ear"),
        ("left_shoulder", "left_ear"),
    ]
