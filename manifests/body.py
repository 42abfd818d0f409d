"""OpenPose's body of 18 joints: their order, sides and limbs, and how they relate to COCO's 17 keypoints."""

import numpy as np

JOINTS = (
    *("nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"),
    *("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
    *("right_eye", "left_eye", "right_ear", "left_ear"),
)
NECK = JOINTS.index("neck")
OTHER_SIDE = (0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16)  # what each joint is in a mirror

# From joint to joint, in the order in which OpenPose puts people together: `limbSeq` of controlnet_aux's
# open_pose/body.py, from 0. The last two, from shoulder to ear, are sought but not drawn.
LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
    (1, 0), (0, 14), (14, 16), (0, 15), (15, 17), (2, 16), (5, 17),
)  # fmt: skip
DRAWN = LIMBS[:17]
# The channel of x of each limb's field, among the network's 38; that of y is the next: `mapIdx`.
FIELDS = (12, 20, 14, 16, 22, 24, 0, 2, 4, 6, 8, 10, 28, 30, 34, 32, 36, 18, 26)

# COCO's 17 keypoints, each as the number of the joint of that name; COCO has no neck.
OPENPOSE_OF_COCO = (0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10)
# The joints but for the neck, each as the number of COCO's keypoint.
COCO_OF_BODY = tuple(OPENPOSE_OF_COCO.index(joint) for joint in range(len(JOINTS)) if joint != NECK)

# How far annotators of COCO are apart, per joint and size of a person (pycocotools' kpt_oks_sigmas). The neck, which
# COCO has not, is given the shoulders'.
SIGMAS = np.array(
    (0.026, 0.079, 0.079, 0.072, 0.062, 0.079, 0.072, 0.062, 0.107, 0.087, 0.089, 0.107, 0.087, 0.089, *[0.025] * 2,
     *[0.035] * 2)
)  # fmt: skip
