"""Edges are scored as by eval_edge.py of ControlNet++, and its defects are not ours."""

import io

import numpy as np
import pyarrow as pa
import pytest
import torch
from kornia.filters import canny
from PIL import Image
from torchmetrics.classification import BinaryF1Score
from torchvision.transforms import functional

from evaluate.cnpp.canny import CANNY, canny_f1, trace
from evaluate.measured import measure_all
from evaluate.measures.edges import score_edges
from evaluate.scores import SCHEMA, score_rows

EMPTY = np.zeros((8, 8), np.uint8)


def rows(pairs: list[list[tuple[np.ndarray, np.ndarray]]]) -> pa.Table:
    """Rows of the draws of each prompt."""
    found = [
        row
        for prompt, draws in enumerate(pairs)
        for draw, (asked, drawn) in enumerate(draws)
        for row in score_rows(
            {CANNY.measure.name: canny_f1(asked, drawn)}, key=f"{prompt}", draw=draw, seed=0, arm="controlled"
        )
    ]
    return pa.Table.from_pylist(found, schema=SCHEMA)


def mean(pairs: list[list[tuple[np.ndarray, np.ndarray]]]) -> float:
    return float(measure_all(rows(pairs), CANNY.measure, ["controlled"]).value[0])


def saved(edges: torch.Tensor) -> torch.Tensor:
    """Edges through a file, as eval.py leaves them and eval_edge.py reads them: {0, 1}."""
    file = io.BytesIO()
    functional.to_pil_image(edges, "L").convert("RGB").save(file, "PNG")
    read = torch.from_numpy(np.array(Image.open(file).convert("L")))
    read[read == 255] = 1
    return read


def test_edges_are_those_of_their_script(pictures: np.ndarray) -> None:
    tensors = [functional.pil_to_tensor(Image.fromarray(picture)) / 255.0 for picture in pictures]
    theirs = canny(torch.stack(tensors), 0.1, 0.2)[1]
    assert np.array_equal(np.stack(trace(pictures)), torch.stack([saved(edges) for edges in theirs]).numpy())


def test_four_draws_score_as_by_their_script(pictures: np.ndarray) -> None:
    asked, *_ = edges = trace(pictures)
    flat = torch.from_numpy(np.stack(edges)).flatten(), torch.from_numpy(np.stack([asked] * 4)).flatten()
    assert mean([[(asked, drawn) for drawn in edges]]) == pytest.approx(float(BinaryF1Score()(*flat)), abs=1e-6)


def test_a_perfect_picture_moved_by_one_pixel_is_as_good_as_a_published_controlnet_and_perfect_in_v1(
    pictures: np.ndarray,
) -> None:
    edges = trace(pictures)
    pairs = [(asked, np.roll(asked, 1, axis=1)) for asked in edges]
    assert 0.3 < np.mean([canny_f1(*pair).value for pair in pairs]) < 0.6
    assert np.mean([score_edges(*pair)["f1_1px"].value for pair in pairs]) > 0.99


def test_a_condition_adheres_perfectly_to_itself(pictures: np.ndarray) -> None:
    assert [canny_f1(edges, edges).value for edges in trace(pictures)] == [1] * len(pictures)


def test_nothing_asked_and_nothing_drawn_is_a_wrong_answer() -> None:
    nothing = torch.zeros(64, dtype=torch.uint8)
    assert canny_f1(EMPTY, EMPTY).value == float(BinaryF1Score()(nothing, nothing)) == 0


def test_draws_of_a_prompt_are_taken_together_and_prompts_apart() -> None:
    row, full = EMPTY.copy(), np.ones_like(EMPTY)
    row[0] = 1
    first = [(row, row), (row, full)]  # 8 + 8 right of 8 + 64 drawn, 8 + 8 asked for
    second = [(row, EMPTY), (row, EMPTY)]
    assert mean([first, second]) == pytest.approx((2 * 16 / (72 + 16) + 0) / 2)
    assert mean([first]) != pytest.approx(np.mean([canny_f1(*pair).value for pair in first]))


def test_an_interval_goes_over_prompts_not_over_draws(pictures: np.ndarray) -> None:
    edges = trace(pictures)
    pairs = [[(asked, drawn) for drawn in (edges[0], asked)] for asked in edges]
    measured = measure_all(rows(pairs), CANNY.measure, ["controlled"])
    found = measured.interval("controlled")
    assert measured.samples == len(edges)
    assert found.low < found.value < found.high
