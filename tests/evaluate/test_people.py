import numpy as np
import pytest

from evaluate.adherence import ADHERENCE
from evaluate.measures.average_precision import FILLED
from evaluate.measures.people import people_likeness, score_people, similarity
from evaluate.retrieval import retrieve
from manifests.body import SIGMAS
from manifests.figures import BODY, WHOLE_BODY, Poses
from manifests.geometry import flip

SIZE = (300, 400)


def person(left: float, top: float, *, width: float = 60, height: float = 150, points: int = BODY) -> np.ndarray:
    """Joints on a grid: [18, 3] or, with hands and face at the same spot, [130, 3]."""
    place = np.arange(points)
    across, down = (place % 3) / 2 * width, (place % BODY // 3) / 5 * height
    return np.stack([left + across, top + down, np.full(points, 0.9)], axis=1).astype(np.float32)


def poses(*people: np.ndarray) -> Poses:
    return Poses(SIZE, people)


def values(asked: Poses, drawn: Poses) -> dict[str, float]:
    return {name: score.value for name, score in score_people(asked, drawn).items()}


PERFECT = {"oks_f1": 1.0, "oks_ap": 1.0, "pck": 1.0, "count_error": 0.0}
TWO = poses(person(20, 40), person(200, 100))


def test_people_adhere_perfectly_to_themselves_in_any_order() -> None:
    assert values(TWO, TWO) == PERFECT
    assert values(TWO, poses(*TWO.people[::-1])) == PERFECT
    assert set(PERFECT) == {measure.name for measure in ADHERENCE["openpose"].measures}


def test_a_person_of_a_single_joint_adheres_perfectly_to_itself() -> None:
    lone = np.zeros((BODY, 3), np.float32)
    lone[4] = 10, 12, 0.5
    assert values(poses(lone), poses(lone)) == PERFECT


def test_nobody_drawn_scores_nothing() -> None:
    assert values(TWO, poses()) == {"oks_f1": 0, "oks_ap": 0, "pck": 0, "count_error": 2}


def test_a_person_too_many_costs_precision_only() -> None:
    scores = score_people(poses(TWO.people[0]), TWO)
    assert scores["oks_f1"].value == pytest.approx(2 / 3)  # precision 1/2, recall 1
    assert (scores["pck"].value, scores["count_error"].value) == (1, 1)


def test_similarity_of_a_shifted_person_is_the_one_computed_by_hand() -> None:
    moved = poses(person(20 + 14, 40))  # 14 pixels, less than a tenth of 150
    by_hand = np.exp(-(14**2) / (2 * FILLED * 60 * 150 * (2 * SIGMAS) ** 2)).mean()
    found = values(poses(person(20, 40)), moved)
    assert (found["oks_f1"], found["pck"], found["count_error"]) == pytest.approx((by_hand, 1, 0))
    assert values(poses(person(20, 40)), poses(person(20 + 16, 40)))["pck"] == 0


def test_similarity_is_that_of_coco_where_all_is_labelled() -> None:
    """pycocotools' computeOks for one pair, over its 17 joints, written out; ours has the neck beside them."""
    asked, drawn = person(20, 40).astype(float), person(27, 45).astype(float)
    coco = [joint for joint in range(BODY) if joint != 1]
    variance, area = (2 * SIGMAS[coco]) ** 2, FILLED * 60 * 150
    e = ((drawn[coco, 0] - asked[coco, 0]) ** 2 + (drawn[coco, 1] - asked[coco, 1]) ** 2) / variance / area / 2
    theirs, neck = np.exp(-e), np.exp(-(7**2 + 5**2) / (2 * area * (2 * 0.079) ** 2))
    assert similarity(asked, drawn) == pytest.approx((theirs.sum() + neck) / BODY)


def test_a_joint_that_is_missing_counts_as_wrong() -> None:
    half = TWO.people[0].copy()
    half[9:] = 0
    assert values(poses(TWO.people[0]), poses(half)) == pytest.approx(
        {"oks_f1": 0.5, "oks_ap": 0, "pck": 0.5, "count_error": 0}  # 8 of COCO's 17 joints are no match
    )
    assert values(poses(half), poses(TWO.people[0])) == PERFECT  # what was not asked for is free


def test_matching_is_the_best_of_all_and_not_greedy() -> None:
    asked = poses(person(100, 40), person(110, 40))
    drawn = poses(person(106, 40), person(122, 40))  # the first is nearer to the second asked for
    pair = [[similarity(one, other) for other in drawn.people] for one in asked.people]
    assert pair[1][0] == max(map(max, pair))
    assert pair[0][0] + pair[1][1] > pair[1][0] + pair[0][1]
    assert values(asked, drawn)["oks_f1"] == pytest.approx((pair[0][0] + pair[1][1]) / 2)


def test_people_are_likest_to_themselves_among_others() -> None:
    others = [poses(person(60, 90)), poses(person(20, 40)), poses()]
    assert retrieve(people_likeness, TWO, others, TWO).value == 1
    assert retrieve(people_likeness, others[0], [TWO, *others[1:]], TWO).value == 0
    assert people_likeness(TWO, TWO) == 1
    assert people_likeness(poses(), poses()) == 0


def test_hands_and_faces_change_no_score() -> None:
    whole = poses(person(20, 40, points=WHOLE_BODY))
    assert values(whole, poses(person(20, 40))) == PERFECT


def test_flipping_both_changes_no_score() -> None:
    drawn = poses(person(25, 44), person(190, 99))
    flipped = values(flip("keypoints", TWO), flip("keypoints", drawn))
    assert flipped == pytest.approx(values(TWO, drawn), abs=1e-6)
