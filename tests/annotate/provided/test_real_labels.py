"""Human labels of real data sets come through every kind of corpus unchanged, row by row beside their pictures."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat

from manifests.body import COCO_OF_BODY
from manifests.condition import NO_CLASS, decode
from manifests.dataset import Dataset
from manifests.hub import SPLIT, write_dataset_card
from manifests.index import build_index, read_index
from manifests.layout import IMAGES
from manifests.where import select
from tests.annotate.provided.shapes import WRITERS

DATA = Path(__file__).parents[4] / "shared/data"
ADE = DATA / "ade20k-sceneparsing/sampleData"
NYU = DATA / "nyu-kitti-samples"
COCO = DATA / "mmpose-testdata/tests/data/coco"
BSDS = DATA / "bsds500"
pytestmark = pytest.mark.skipif(not ADE.exists(), reason="no labelled photographs here")

Write = Callable[..., Path]
Ingest = Callable[..., Dataset]
Rows = Callable[..., list[dict]]


def scenes() -> dict[str, dict[str, bytes]]:
    """Three ADE20K photographs with their masks, whose first class is 1."""
    return {
        path.stem: {
            "jpg": path.read_bytes(),
            "txt": b"a street",
            "seg.png": (ADE / "annotations" / f"{path.stem}.png").read_bytes(),
        }
        for path in sorted((ADE / "images").glob("*.jpg"))
    }


def by_picture(images: list[dict], conditions: list[dict]) -> dict[bytes, dict]:
    assert [row["key"] for row in images] == [row["key"] for row in conditions]
    return {image["image"]["bytes"]: row for image, row in zip(images, conditions, strict=True)}


@pytest.mark.parametrize("shape", WRITERS)
def test_masks_of_ade20k_are_class_indices_from_0(
    shape: str, corpus: Write, ingest: Ingest, rows: Rows, tmp_path: Path
) -> None:
    records = scenes()
    made = ingest(corpus(records, shape), provided=("gt=classes-from1:seg.png",))
    assert made.rows(IMAGES) == len(records) == 3
    found = by_picture(rows(made), rows(made, "gt"))
    for parts in records.values():
        mask = np.asarray(Image.open(io.BytesIO(parts["seg.png"])))
        stored = decode("classes", found[parts["jpg"]]["condition"])
        assert np.array_equal(stored, np.where(mask == 0, NO_CLASS, mask.astype(int) - 1))
        assert stored.shape == mask.shape
    assert {row["extra"] for row in rows(made)} <= {None, "{}"}, "masks are not kept a second time in source/"
    card = made.card("gt")
    assert (card.annotator, card.kind) == ("provided", "classes")
    assert card.settings == {"form": "classes-from1", "field": "seg.png"}


@pytest.mark.parametrize("shape", WRITERS)
def test_a_mask_may_have_the_name_of_its_picture(shape: str, corpus: Write, ingest: Ingest, rows: Rows) -> None:
    records = {
        stem: {suffix.removeprefix("seg."): data for suffix, data in parts.items()} for stem, parts in scenes().items()
    }
    made = ingest(corpus(records, shape), provided=("gt=classes-from1:png",))
    assert made.rows(IMAGES) == 3, "no mask is a picture of its own"
    assert {row["status"] for row in rows(made, "gt")} == {"ok"}


def test_depth_of_nyu_is_stored_as_its_inverse_and_its_holes_are_counted(
    corpus: Write, ingest: Ingest, rows: Rows
) -> None:
    records = {
        number: {
            "jpg": (NYU / f"{number}.png").read_bytes(),
            "txt": b"a room",
            "depth.png": (NYU / f"depth_gt_{number}.png").read_bytes(),
        }
        for number in ("000433", "000464")
    }
    made = ingest(corpus(records, "parquet"), provided=("gt=depth-farther:depth.png",))
    for number, row in zip(records, rows(made, "gt"), strict=True):
        depth = np.asarray(Image.open(NYU / f"depth_gt_{number}.png")).astype(np.float64)
        stored, known = decode("depth", row["condition"]), depth > 0
        step = (stored.max() - stored.min()) / 65_535
        assert np.abs(stored[known] - 1 / depth[known]).max() <= step
        assert row["stats"]["holes"] == pytest.approx((~known).mean(), abs=1e-6)
        assert stored[~known].min() >= stored[known].min() - step, "a hole has what is known beside it"
    build_index(made)
    holes = {"gt": read_index(made, "gt")}
    assert select("gt.holes < 0.36", holes).tolist() == [True, False]


def test_normals_in_the_frame_of_a_room_are_refused(corpus: Write, ingest: Ingest, rows: Rows) -> None:
    record = {"jpg": (NYU / "000433.png").read_bytes(), "txt": b"a room"}
    record["normal.png"] = (NYU / "norm_gt_000433.png").read_bytes()
    made = ingest(corpus({"a": record}), provided=("gt=normal-up:normal.png",))
    assert [(row["code"], row["error"]) for row in rows(made, "gt")] == [("provided", "Unusable: away")]
    assert made.rows(IMAGES) == 1


def people() -> dict[str, dict[str, bytes]]:
    """COCO photographs with their people's 17 points, one JSON a picture."""
    labels = json.loads((COCO / "test_coco.json").read_text())
    records = {}
    for image in labels["images"]:
        here = [one["keypoints"] for one in labels["annotations"] if one["image_id"] == image["id"]]
        records[f"{image['id']:012d}"] = {
            "jpg": (COCO / image["file_name"]).read_bytes(),
            "txt": b"people",
            "pose.json": json.dumps(here).encode(),
        }
    return records


@pytest.mark.parametrize("shape", WRITERS)
def test_people_of_coco_have_18_points_with_a_neck(shape: str, corpus: Write, ingest: Ingest, rows: Rows) -> None:
    records = people()
    made = ingest(corpus(records, shape), provided=("gt=keypoints:pose.json",))
    found = by_picture(rows(made), rows(made, "gt"))
    for parts in records.values():
        labelled = [np.array(person, float).reshape(17, 3) for person in json.loads(parts["pose.json"])]
        labelled = [person for person in labelled if person[:, 2].any()]
        poses = decode("keypoints", found[parts["jpg"]]["condition"])
        assert poses.shape == np.asarray(Image.open(io.BytesIO(parts["jpg"]))).shape[:2]
        assert len(poses.people) == len(labelled)
        for body, person in zip(poses.people, labelled, strict=True):
            without_neck = np.delete(body, 1, axis=0)
            seen = person[list(COCO_OF_BODY), 2] > 0
            assert np.allclose(without_neck[seen, :2], person[list(COCO_OF_BODY), :2][seen], atol=1e-3)
            assert np.array_equal(without_neck[:, 2] > 0, seen)
            if person[5, 2] and person[6, 2]:
                assert np.allclose(body[1, :2], (person[5, :2] + person[6, :2]) / 2, atol=1e-3)


def boundaries(name: str) -> np.ndarray:
    """Share of the people who drew a boundary at each pixel."""
    drawn = loadmat(BSDS / "groundTruth" / f"{name}.mat")["groundTruth"][0]
    return np.mean([one["Boundaries"][0, 0] for one in drawn], axis=0)


def test_human_boundaries_are_edges_one_bit_or_eight(
    corpus: Write, ingest: Ingest, rows: Rows, as_png: Callable[..., bytes]
) -> None:
    records, soft = {}, {}
    for path in sorted((BSDS / "images").glob("*.jpg"))[:4]:
        soft[path.stem] = np.rint(boundaries(path.stem) * 255).astype(np.uint8)
        records[path.stem] = {
            "jpg": path.read_bytes(),
            "txt": b"a scene",
            "soft.png": as_png(soft[path.stem]),
            "any.png": as_png(Image.fromarray(soft[path.stem] > 0)),
        }
    made = ingest(corpus(records, "tar"), provided=("gt_soft=soft:soft.png", "gt_any=binary:any.png"))
    soft_rows = by_picture(rows(made), rows(made, "gt_soft"))
    binary_rows = by_picture(rows(made), rows(made, "gt_any"))
    for stem, parts in records.items():
        assert np.array_equal(decode("soft", soft_rows[parts["jpg"]]["condition"]), soft[stem])
        assert np.array_equal(decode("binary", binary_rows[parts["jpg"]]["condition"]), soft[stem] > 0)
        density = float((soft[stem] > 0).mean())
        assert binary_rows[parts["jpg"]]["stats"]["edge_density"] == pytest.approx(density)


def test_a_row_without_its_condition_fails_alone_and_all_rows_stay_aligned(
    corpus: Write, ingest: Ingest, rows: Rows
) -> None:
    records = scenes()
    first, second, third = records
    del records[first]["seg.png"]
    records[second]["seg.png"] = records[second]["seg.png"][:500]
    made = ingest(corpus(records), provided=("gt=classes-from1:seg.png",))
    found = by_picture(rows(made), rows(made, "gt"))
    told = {stem: found[parts["jpg"]] for stem, parts in records.items()}
    assert {stem: (row["status"], row["code"]) for stem, row in told.items()} == {
        first: ("failed", "missing"),
        second: ("failed", "provided"),
        third: ("ok", ""),
    }
    assert told[second]["error"] == "Unusable: truncated"
    assert told[first]["condition"] is None


def test_a_picture_that_is_dropped_takes_its_condition_along(
    corpus: Write, ingest: Ingest, rows: Rows, dropped: Callable[[Dataset], dict[str, str]]
) -> None:
    records = scenes()
    spoilt = list(records)[1]
    records[spoilt]["jpg"] = b"no picture"
    made = ingest(corpus(records), provided=("gt=classes-from1:seg.png",))
    assert dropped(made) == {f"{spoilt}.jpg": "decode: not_an_image"}
    assert len(by_picture(rows(made), rows(made, "gt"))) == 2


def test_datasets_opens_what_the_corpus_carried(corpus: Write, ingest: Ingest) -> None:
    made = ingest(corpus(scenes()), provided=("gt=classes-from1:seg.png",))
    build_index(made)
    write_dataset_card(made)
    opened = datasets.load_dataset(str(made.root), "gt", split=SPLIT)
    assert opened["key"] == datasets.load_dataset(str(made.root), IMAGES, split=SPLIT)["key"]
    assert [row["condition"].size for row in opened] == [(row["width"], row["height"]) for row in opened]
    assert read_index(made, "gt")["status"].to_pylist() == ["ok"] * 3
