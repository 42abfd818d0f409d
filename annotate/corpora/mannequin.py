"""An articulated mannequin: where its joints are in space, in the order of OpenPose's body-18."""

import numpy as np
from numpy.typing import NDArray

from annotate.corpora.raycast import Array, Solid, ball, capsule
from manifests.body import JOINTS

_INDEX = {name: number for number, name in enumerate(JOINTS)}
_LIMBS = (  # from, to, radius as a share of the height
    ("right_shoulder", "right_elbow", 0.030),
    ("right_elbow", "right_wrist", 0.026),
    ("left_shoulder", "left_elbow", 0.030),
    ("left_elbow", "left_wrist", 0.026),
    ("right_hip", "right_knee", 0.042),
    ("right_knee", "right_ankle", 0.034),
    ("left_hip", "left_knee", 0.042),
    ("left_knee", "left_ankle", 0.034),
    ("right_shoulder", "right_hip", 0.076),
    ("left_shoulder", "left_hip", 0.076),
    ("right_shoulder", "left_shoulder", 0.040),
    ("neck", "nose", 0.030),
)


def pose(feet: Array, height: float, rng: np.random.Generator) -> Array:
    """Joints of a standing figure that faces the camera within 45 degrees: [18, 3] metres, `feet` between the feet."""
    yaw = rng.uniform(-0.8, 0.8)
    across = np.array([np.cos(yaw), 0.0, np.sin(yaw)])  # towards the figure's left, which the camera sees at its right
    front = np.array([np.sin(yaw), 0.0, -np.cos(yaw)])
    up = np.array([0.0, 1.0, 0.0])
    joints = np.zeros((len(JOINTS), 3))

    def put(name: str, sideways: float, upwards: float, forwards: float = 0.0) -> None:
        joints[_INDEX[name]] = feet + height * (sideways * across + upwards * up + forwards * front)

    put("neck", 0, 0.82)
    put("nose", 0, 0.92, 0.065)
    for side, name in ((-1, "right"), (1, "left")):
        put(f"{name}_eye", side * 0.022, 0.945, 0.055)
        put(f"{name}_ear", side * 0.050, 0.930, 0.0)
        put(f"{name}_shoulder", side * 0.125, 0.81)
        put(f"{name}_hip", side * 0.07, 0.50)
        shoulder, hip = joints[_INDEX[f"{name}_shoulder"]], joints[_INDEX[f"{name}_hip"]]
        lift = rng.uniform(0.05, 2.6)  # radians from hanging down
        bend = lift + rng.uniform(-0.2, 1.4)
        elbow = shoulder + height * 0.165 * (side * np.sin(lift) * across - np.cos(lift) * up)
        joints[_INDEX[f"{name}_elbow"]] = elbow
        joints[_INDEX[f"{name}_wrist"]] = elbow + height * 0.15 * (side * np.sin(bend) * across - np.cos(bend) * up)
        stride, spread = rng.uniform(-0.35, 0.35), rng.uniform(0.0, 0.25)
        thigh = np.sin(stride) * front + side * np.sin(spread) * across
        joints[_INDEX[f"{name}_knee"]] = knee = hip + height * 0.235 * _with_drop(thigh)
        joints[_INDEX[f"{name}_ankle"]] = knee + height * 0.225 * _with_drop(thigh - 0.5 * abs(stride) * front)
    lowest = joints[:, 1].min() - feet[1] - 0.034 * height
    return np.asarray(joints - np.array([0.0, lowest, 0.0]))


def solids(joints: Array, height: float) -> list[Solid]:
    """The figure's body: twelve capsules and a head."""
    limbs = [capsule(joints[_INDEX[a]], joints[_INDEX[b]], share * height) for a, b, share in _LIMBS]
    head = (joints[_INDEX["right_ear"]] + joints[_INDEX["left_ear"]]) / 2
    return [*limbs, ball(head, 0.068 * height)]


def _with_drop(sideways: Array) -> NDArray[np.float64]:
    """A unit vector with the given horizontal part that otherwise points down."""
    drop = np.sqrt(max(1.0 - float(sideways @ sideways), 0.05))
    vector = sideways - np.array([0.0, drop, 0.0])
    return np.asarray(vector / np.linalg.norm(vector))
