"""Drawn pictures that copy one trained on are told from those that the condition explains, and from chance."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluate.leaks.copies import Copies, find_copies
from evaluate.leaks.drawn import hash_drawn
from evaluate.leaks.squares import Cut, hashed, hashes_of_squares
from evaluate.leaks.trained import index_hashes, trained_on
from tests.evaluate.leaks.case import Picture, evaluate, scenes, square, write_case
from tests.near_copies import rows_of

SAMPLES = 12


def quiet(done: int, total: int) -> None:
    """No bar."""


def found(
    home: Path, train: Mapping[str, Picture], drawn: Mapping[str, Picture], *, hashed_already: bool = True
) -> tuple[Copies, dict[str, str]]:
    """What is found when these are drawn, and the names of rows by key."""
    test = {f"t{number:02d}": picture for number, picture in enumerate(scenes(SAMPLES, seed=7))}
    dataset = write_case(home, train, test, hashed=hashed_already)
    folder, trained = evaluate(home, dataset, drawn), trained_on(home / "run")
    places, squares = hashes_of_squares(trained, index_hashes(dataset), most=1_000, progress=quiet)
    copies = find_copies(hash_drawn(folder, mirrored=True), squares, places, frozenset())
    return copies, {row["key"]: name for name, row in rows_of(dataset).items()}


def trained_pictures(count: int = 40) -> dict[str, Picture]:
    return {f"r{number:02d}": picture for number, picture in enumerate(scenes(count, seed=3))}


@pytest.mark.parametrize("hashed_already", [True, False])
def test_planted_copies_are_found(tmp_path: Path, hashed_already: bool) -> None:
    train = trained_pictures()
    worse = {name: cv2.GaussianBlur(picture, (0, 0), 2) for name, picture in train.items()}
    drawn = {f"t{number:02d}": worse[f"r{number:02d}"] for number in range(7)}
    copies, names = found(tmp_path, train, drawn, hashed_already=hashed_already)
    assert {names[copy.key] for copy in copies.copies} == set(drawn)
    index = trained_on(tmp_path / "run").index["key"]
    assert all(names[copy.key][1:] == names[index[copy.row].as_py()][1:] for copy in copies.copies)
    assert (copies.drawn.count, copies.floor.count, copies.explained.count) == (7, 0, 0)
    assert copies.told
    assert copies.bits == 8
    assert copies.rows == 40


def test_a_mirrored_copy_is_found(tmp_path: Path) -> None:
    train = trained_pictures()
    copies, names = found(tmp_path, train, {"t03": np.ascontiguousarray(train["r05"][:, ::-1])})
    assert [names[copy.key] for copy in copies.copies] == ["t03"]
    assert not copies.told  # of one sample no more can be said


def test_a_copy_of_a_square_of_a_wide_picture_is_found(tmp_path: Path) -> None:
    wide = [cv2.resize(picture, (240, 160)) for picture in scenes(40, seed=3)]
    train = {f"r{number:02d}": picture for number, picture in enumerate(wide)}
    drawn = {"t01": wide[4][:, 40:200], "t02": wide[5][:, :160], "t03": wide[6][:, 78:238], "t04": wide[7][:, 57:217]}
    copies, names = found(tmp_path, train, drawn)
    assert {names[copy.key] for copy in copies.copies} == set(drawn)


def test_without_copies_none_is_found(tmp_path: Path) -> None:
    copies, _ = found(tmp_path, trained_pictures(), {})
    assert (copies.drawn.count, copies.floor.count, copies.copies) == (0, 0, ())
    assert sum(copies.distances["drawn"]) == SAMPLES


def test_what_the_real_picture_explains_is_no_copy(tmp_path: Path) -> None:
    leaked = scenes(SAMPLES, seed=7)[2]  # the real picture of t02
    worse = cv2.GaussianBlur(leaked, (0, 0), 2)
    train = trained_pictures() | {"leak": cv2.GaussianBlur(leaked, (0, 0), 1)}
    test = {f"t{number:02d}": picture for number, picture in enumerate(scenes(SAMPLES, seed=7))}
    dataset = write_case(tmp_path, train, test)
    folder, trained = evaluate(tmp_path, dataset, {"t02": worse}), trained_on(tmp_path / "run")
    places, squares = hashes_of_squares(trained, index_hashes(dataset), most=1_000, progress=quiet)
    key = rows_of(dataset)["t02"]["key"]
    copies = find_copies(hash_drawn(folder, mirrored=False), squares, places, frozenset({key}))
    assert (copies.drawn.count, copies.explained.count) == (0, 1)


def test_where_real_pictures_are_as_near_by_chance_nothing_is_told(tmp_path: Path) -> None:
    alike = [cv2.GaussianBlur(picture, (0, 0), 1) for picture in scenes(SAMPLES, seed=7)]
    train = {f"r{number:02d}": picture for number, picture in enumerate(alike)}
    copies, _ = found(tmp_path, train, {"t01": alike[5]})
    assert copies.bits == -1
    assert (copies.drawn.count, copies.explained.count) == (0, 0)


def test_pictures_are_read_up_to_a_limit(tmp_path: Path) -> None:
    train = trained_pictures(20)
    write_case(tmp_path, train, {"t": scenes(1, seed=7)[0]}, hashed=False)
    told: list[tuple[int, int]] = []
    trained = trained_on(tmp_path / "run")
    places, squares = hashes_of_squares(trained, None, most=8, progress=lambda done, total: told.append((done, total)))
    assert len(places) == len(squares) == len(set(places.tolist())) == 8
    assert told[0] == (0, 8)
    assert told[-1] == (8, 8)


def test_a_square_is_cut_as_training_cuts_it() -> None:
    picture = np.arange(60 * 80 * 3, dtype=np.uint32).reshape(60, 80, 3).astype(np.uint8)
    assert np.array_equal(Cut(512, 512).square(picture), picture[:, 10:70])
    assert np.array_equal(Cut(512, 512).square(picture, 1.0), picture[:, 20:])
    assert Cut(1_024, 512).square(picture).shape == (30, 30, 3)  # of a picture brought to 1,024 half is seen
    assert Cut(0, 30).square(picture).shape == (30, 30, 3)
    assert Cut(0, 512).square(picture).shape == (60, 60, 3)  # a small one is enlarged


def test_the_hash_is_that_of_the_index(tmp_path: Path) -> None:
    train = trained_pictures(6)
    dataset = write_case(tmp_path, train, {"t": scenes(1, seed=7)[0]})
    whole = index_hashes(dataset)
    assert whole is not None
    for place, name in enumerate(rows_of(dataset)):
        picture = cv2.imread(str(tmp_path / "corpus" / f"{name}.png"))
        assert hashed(np.ascontiguousarray(picture[..., ::-1])) == int(whole[place, 0])
        assert np.bitwise_count(np.uint64(hashed(square(picture))) ^ whole[place, 0]) <= 2
