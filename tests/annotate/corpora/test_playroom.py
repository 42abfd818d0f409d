"""What the generated corpora promise: the same picture everywhere, and a truth that fits it."""

from dataclasses import replace

import numpy as np
import pytest

from annotate.corpora import fill50k, mannequin, playroom
from annotate.corpora.raycast import View, ball, box, capsule, cone

ROWS = range(40)


@pytest.mark.parametrize("corpus", [playroom, fill50k])
def test_a_row_is_the_same_picture_every_time(corpus) -> None:
    once, again = corpus.record(3, 7), corpus.record(3, 7)
    assert np.array_equal(once.image, again.image)
    assert once.caption == again.caption
    assert not np.array_equal(once.image, corpus.record(4, 7).image)
    assert once.image.shape == (128, 128, 3)
    assert once.image.dtype == np.uint8


def test_a_wall_and_a_floor_have_the_colours_of_the_caption() -> None:
    for row in ROWS:
        record = playroom.record(0, row)
        classes = record.truth["truth_segmentation"].condition
        wall = record.caption.split(", ")[-2].removesuffix(" wall")
        seen = record.image[classes == playroom.CLASSES.index("wall")].mean(axis=0)
        distances = {name: np.linalg.norm(seen - hazed(rgb)) for name, rgb in playroom.WALL_COLOURS.items()}
        assert min(distances, key=distances.__getitem__) == wall


def hazed(rgb: tuple[int, int, int], metres: float = 6.75) -> np.ndarray:
    clear = np.exp(-playroom.HAZE_PER_METRE * metres)
    return clear * np.array(rgb) + (1 - clear) * playroom.HAZE


def test_the_caption_names_every_thing_from_left_to_right() -> None:
    scene = playroom.arrange(np.random.default_rng(5))
    named = playroom.caption(scene).split(", ")
    assert len(named) == len(scene.things) + 2
    from_left = sorted(scene.things, key=lambda thing: thing.foot[0] / thing.foot[2])
    assert named[:-2] == [f"{thing.colour} {thing.kind}" for thing in from_left]


def test_nearer_things_have_the_larger_inverse_depth() -> None:
    for row in ROWS:
        depth = playroom.record(0, row).truth["truth_depth"].condition
        assert np.isfinite(depth).all()
        assert depth[-1].min() > depth[0].max()  # the floor before us, the wall behind


def test_joints_lie_on_people() -> None:
    joints = 0
    for row in range(120):
        truth = playroom.record(0, row).truth
        classes = truth["truth_segmentation"].condition
        for person in truth["truth_openpose"].condition.people:
            assert person.shape == (18, 3)
            for x, y, score in person:
                if score > 0:
                    assert classes[round(float(y)), round(float(x))] == playroom.CLASSES.index("person")
                    joints += 1
    assert joints > 200


def test_nobody_is_there_of_whom_nothing_is_seen() -> None:
    feet = np.array([0.0, -playroom.EYE, 5.0])
    person = playroom.Thing("person", "red", feet, 0.35, [], mannequin.pose(feet, 1.6, np.random.default_rng(0)))
    wall = box(np.array([0.0, 0.0, 3.0]), np.array([3.0, 3.0, 0.3]), 0.0)
    before = playroom.Thing("box", "blue", np.array([0.0, -playroom.EYE, 3.0]), 3.0, [wall])
    solid = replace(person, solids=mannequin.solids(person.joints, 1.6))
    for things, seen in ([solid], 1), ([solid, before], 0):
        scene = playroom.Scene(things, "grey", "sand", 7.0)
        assert len(playroom._people(scene, playroom.cast(scene, playroom.SIDE)).people) == seen


def test_a_persons_right_hand_is_at_the_left_of_the_picture() -> None:
    people = [
        person for row in range(120) for person in playroom.record(0, row).truth["truth_openpose"].condition.people
    ]
    shoulders = [(person[2, 0], person[5, 0]) for person in people if person[2, 2] and person[5, 2]]
    assert len(shoulders) > 20
    assert all(right < left for right, left in shoulders)


@pytest.mark.parametrize(
    "solid",
    [
        ball(np.array([0.1, 0.0, 4.0]), 0.5),
        box(np.array([0.0, -0.1, 4.0]), np.array([0.4, 0.3, 0.5]), 0.6),
        cone(np.array([0.0, -0.6, 4.0]), 0.5, 1.2),
        capsule(np.array([-0.3, -0.2, 4.0]), np.array([0.4, 0.3, 4.3]), 0.15),
    ],
    ids=["ball", "box", "cone", "capsule"],
)
def test_a_solid_is_met_where_a_march_along_the_ray_meets_it(solid) -> None:
    """Normals are of unit length, face the camera, and agree with the slope of the depth that was found."""
    rays = View().rays(96)
    depth, normal = solid.meet(rays)
    hit = np.isfinite(depth)
    assert 100 < hit.sum() < hit.size / 2
    assert np.allclose(np.linalg.norm(normal[hit], axis=-1), 1, atol=1e-6)
    facing = (normal * rays).sum(-1)
    assert (facing[hit] < 1e-6).all()
    points = rays * np.where(hit, depth, 0)[..., None]
    inner = hit[1:-1, 1:-1] & hit[1:-1, 2:] & hit[1:-1, :-2]
    tangent = points[1:-1, 2:] - points[1:-1, :-2]
    slope = np.abs((tangent * normal[1:-1, 1:-1]).sum(-1)) / np.maximum(np.linalg.norm(tangent, axis=-1), 1e-9)
    assert np.median(slope[inner]) < 0.02


def test_a_circle_has_the_colours_of_its_caption_and_its_outline_lies_on_it() -> None:
    for row in ROWS:
        record = fill50k.record(0, row)
        circle, background = record.caption.split(" circle with ")
        assert tuple(record.image[0, 0]) == fill50k.COLOURS[background.removesuffix(" background")]
        edges = record.truth["truth_edges"].condition
        ys, xs = np.nonzero(edges)
        assert tuple(record.image[int(ys.mean()), int(xs.mean())]) == fill50k.COLOURS[circle]
