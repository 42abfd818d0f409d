"""The playroom: solids and mannequins in named colours on a floor before a wall, with everything about them known.

Row `n` of seed `s` is the same picture on every machine. One to three objects stand at different depths; haze grows
with distance, so depth can be seen. The caption names the objects from left to right, then wall and floor. The truth
beside each picture: `truth_edges`, `truth_depth` (inverse depth in 1/m: larger is nearer, as MiDaS gives it),
`truth_segmentation` (an index into `CLASSES`) and `truth_openpose` (body-18 joints in pixels; score 0 where hidden).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.corpora import mannequin
from annotate.corpora.generated import SIDE, Generated, Truth
from annotate.corpora.raycast import Array, Solid, View, ball, box, cone, window
from manifests.figures import Poses

CLASSES = ("wall", "floor", "ball", "box", "cone", "person")
OBJECT_COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (205, 35, 35),
    "orange": (240, 130, 20),
    "yellow": (240, 215, 40),
    "green": (40, 150, 60),
    "blue": (40, 80, 200),
    "purple": (125, 50, 160),
    "pink": (240, 130, 175),
    "white": (240, 240, 240),
}
WALL_COLOURS = {
    "grey": (150, 150, 155),
    "cream": (235, 222, 185),
    "mint": (165, 215, 185),
    "lavender": (185, 175, 225),
    "sky": (150, 200, 235),
}
FLOOR_COLOURS = {
    "sand": (205, 180, 130),
    "slate": (85, 95, 105),
    "moss": (110, 130, 70),
    "brick": (165, 85, 65),
    "walnut": (105, 70, 45),
}
EYE = 1.5  # metres above the floor
HAZE = np.array([225.0, 230.0, 235.0])
HAZE_PER_METRE = 0.055
LIGHT = np.array([-0.45, 0.75, -0.50]) / np.linalg.norm([-0.45, 0.75, -0.50])
VIEW = View()


@dataclass(frozen=True)
class Thing:
    """One object: what it is, its colour's name, where it stands, and its body."""

    kind: str
    colour: str
    foot: Array
    reach: float  # radius of its footprint, metres
    solids: list[Solid]
    joints: Array | None = None


@dataclass(frozen=True)
class Scene:
    """Everything in one picture."""

    things: list[Thing]
    wall: str
    floor: str
    wall_depth: float


@dataclass(frozen=True)
class Cast:
    """What each ray met: depth [n, n] metres, normal [n, n, 3], thing [n, n] (-2 wall, -1 floor), part [n, n]."""

    depth: Array
    normal: Array
    thing: NDArray[np.int64]
    part: NDArray[np.int64]


def record(seed: int, row: int) -> Generated:
    """Draw row `row` of the playroom of seed `seed`."""
    scene = arrange(np.random.default_rng((seed, row, 128)))
    exact = cast(scene, SIDE)
    fine = shade(scene, cast(scene, 2 * SIDE), 2 * SIDE)
    image = cv2.resize(fine.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return Generated(
        image=np.rint(np.clip(image, 0, 255)).astype(np.uint8),
        caption=caption(scene),
        truth={
            "truth_edges": Truth("binary", _edges(exact)),
            "truth_depth": Truth("depth", (1.0 / exact.depth).astype(np.float32)),
            "truth_segmentation": Truth("classes", _classes(scene, exact)),
            "truth_openpose": Truth("keypoints", _people(scene, exact)),
        },
    )


def caption(scene: Scene) -> str:
    """Name the things from left to right, then wall and floor: "red ball, blue person, grey wall, sand floor"."""
    from_left = sorted(scene.things, key=lambda thing: thing.foot[0] / thing.foot[2])
    names = [f"{thing.colour} {thing.kind}" for thing in from_left]
    return ", ".join([*names, f"{scene.wall} wall", f"{scene.floor} floor"])


def arrange(rng: np.random.Generator) -> Scene:
    """Choose a room and put one to three things into it that do not run into each other."""
    wall_depth = rng.uniform(5.5, 8.0)
    wall, floor = rng.choice(list(WALL_COLOURS)), rng.choice(list(FLOOR_COLOURS))
    wanted, things = int(rng.integers(1, 4)), list[Thing]()
    for _ in range(30):
        thing = _thing(rng, wall_depth)
        if all(np.linalg.norm(thing.foot - other.foot) > thing.reach + other.reach + 0.1 for other in things):
            things.append(thing)
        if len(things) == wanted:
            break
    return Scene(things, str(wall), str(floor), wall_depth)


def raised(point: Array, height: float) -> Array:
    """A point, `height` metres higher: [3]."""
    return np.asarray(point + np.array([0.0, height, 0.0]))


def _thing(rng: np.random.Generator, wall_depth: float) -> Thing:
    kind, colour = str(rng.choice(CLASSES[2:])), str(rng.choice(list(OBJECT_COLOURS)))
    z = rng.uniform(2.9, wall_depth - 0.8)
    foot = np.array([rng.uniform(-0.40, 0.40) * z, -EYE, z])
    if kind == "ball":
        radius = rng.uniform(0.30, 0.60)
        return Thing(kind, colour, foot, radius, [ball(raised(foot, radius), radius)])
    if kind == "box":
        half = rng.uniform(0.25, 0.55, size=3)
        solid = box(raised(foot, half[1]), half, rng.uniform(0, np.pi / 2))
        return Thing(kind, colour, foot, float(np.hypot(half[0], half[2])), [solid])
    if kind == "cone":
        radius, tall = rng.uniform(0.30, 0.55), rng.uniform(0.7, 1.4)
        return Thing(kind, colour, foot, radius, [cone(foot, radius, tall)])
    tall = rng.uniform(1.35, 1.85)
    joints = mannequin.pose(foot, tall, rng)
    return Thing(kind, colour, foot, 0.35, mannequin.solids(joints, tall), joints)


def cast(scene: Scene, side: int) -> Cast:
    """Send a ray through the centre of each of side x side pixels."""
    rays = VIEW.rays(side)
    v = rays[..., 1]
    floor_depth = np.where(v < 0, -EYE / np.minimum(v, -1e-9), np.inf)
    on_floor = floor_depth < scene.wall_depth
    depth = np.where(on_floor, floor_depth, scene.wall_depth)
    normal = np.where(on_floor[..., None], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0])
    thing = np.where(on_floor, -1, -2)
    part = np.zeros_like(thing)
    for number, item in enumerate(scene.things):
        for piece, solid in enumerate(item.solids):
            rows, columns = window(solid, rays)
            met, facing = solid.meet(rays[rows, columns])
            nearer = met < depth[rows, columns]
            depth[rows, columns][nearer] = met[nearer]
            normal[rows, columns][nearer] = facing[nearer]
            thing[rows, columns][nearer] = number
            part[rows, columns][nearer] = piece
    return Cast(depth, normal, thing, part)


def shade(scene: Scene, seen: Cast, side: int) -> Array:
    """Colour every ray: Lambert's law from one light, soft contact shadows, haze by distance; [n, n, 3] in 0..255."""
    colours = [WALL_COLOURS[scene.wall], FLOOR_COLOURS[scene.floor]]
    colours += [OBJECT_COLOURS[thing.colour] for thing in scene.things]
    albedo = np.array(colours, dtype=float)[seen.thing + 2]
    lambert = 0.55 + 0.45 * np.clip(seen.normal @ LIGHT, 0, None) / LIGHT[1]
    light = np.where(seen.thing >= 0, np.minimum(lambert, 1.1), 1.0)
    points = VIEW.rays(side) * seen.depth[..., None]
    for thing in scene.things:
        distance = np.hypot(points[..., 0] - thing.foot[0], points[..., 2] - thing.foot[2])
        shadow = 0.45 * np.clip(1.35 - distance / thing.reach, 0, 1)
        light = light * np.where(seen.thing == -1, 1 - shadow, 1.0)
    clear = np.exp(-HAZE_PER_METRE * seen.depth)[..., None]
    return np.asarray(clear * albedo * light[..., None] + (1 - clear) * HAZE)


def _edges(seen: Cast) -> NDArray[np.uint8]:
    """Outlines, and creases sharper than 45 degrees within one solid: [128, 128] uint8 in {0, 1}."""
    found = np.zeros(seen.thing.shape, dtype=bool)
    for here, there in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        outline = seen.thing[here] != seen.thing[there]
        same_solid = seen.part[here] == seen.part[there]
        crease = same_solid & ((seen.normal[here] * seen.normal[there]).sum(-1) < np.cos(np.pi / 4))
        found[here] |= outline | crease
    return found.astype(np.uint8)


def _classes(scene: Scene, seen: Cast) -> NDArray[np.uint8]:
    indices = [0, 1, *(CLASSES.index(thing.kind) for thing in scene.things)]
    return np.array(indices, dtype=np.uint8)[seen.thing + 2]


def _people(scene: Scene, seen: Cast) -> Poses:
    """Joints of every person of whom one is seen; score 0 where outside or behind something else."""
    people = []
    for number, thing in enumerate(scene.things):
        if thing.joints is None:
            continue
        pixels = VIEW.project(thing.joints, SIDE)
        inside = ((pixels >= 0) & (pixels < SIDE)).all(axis=1)
        x, y = np.clip(pixels.astype(int), 0, SIDE - 1).T
        visible = inside & (seen.thing[y, x] == number)
        if not visible.any():
            continue
        centred = (pixels - 0.5) * visible[:, None]  # of the first pixel, the centre is at 0
        people.append(np.column_stack([centred, visible]).astype(np.float32))
    return Poses((SIDE, SIDE), tuple(people))
