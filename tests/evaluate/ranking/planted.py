"""Votes of made-up raters, who like some runs better than others, without any page or picture."""

import json
from pathlib import Path

import numpy as np

from evaluate.ranking.key import Key, KeyedMeasure, KeyedRun, KeyedSample
from evaluate.ranking.questions import FIDELITY, QUALITY

PAGE = "0123456789abcdef"
LIKING = {QUALITY: (0.0, 0.5, 1.0, 1.7), FIDELITY: (0.0, 0.0, 1.0, 2.0)}  # of each run, log-odds


def key(*, runs: int = 4, samples: int = 20, repeats: int = 2, higher_is_better: bool = True) -> Key:
    """A key whose measure scores the runs in the order of their numbers; what is higher is better, or lower."""
    generator = np.random.default_rng(runs)
    scores = tuple(float(run if higher_is_better else -run) for run in range(runs))
    return Key(
        page=PAGE,
        seed=0,
        condition="canny",
        protocol_fingerprint="f" * 16,
        repeats=repeats,
        measure=KeyedMeasure(name="f1_1px", title="edge F1", higher_is_better=higher_is_better),
        runs=tuple(
            KeyedRun(name=f"run-{run}", rows=1_000, steps=600, fingerprint=f"{run:016x}") for run in range(runs)
        ),
        samples=tuple(
            KeyedSample(key=f"{sample:016x}", runs=tuple(generator.permutation(runs).tolist()), scores=scores)
            for sample in range(samples)
        ),
    )


def ballot(of: Key, rater: str, *, seed: int, noise: float = 1.0) -> dict:
    """What a rater saves who likes the runs as `LIKING` says.

    Args:
        noise: 1.0: as Bradley and Terry, or Luce for more than two, have it; 0: the same order each time.
    """
    generator, answers = np.random.default_rng(seed), []
    shown = list(range(len(of.runs)))
    trials = [(sample, False) for sample in range(len(of.samples))] + [(sample, True) for sample in range(of.repeats)]
    for sample, repeat in trials:
        for question, liking in LIKING.items():
            liked = np.resize(liking, len(of.runs)) + noise * generator.gumbel(size=len(of.runs))
            by_run = (-liked).argsort(kind="stable").argsort() + 1
            ranks = [int(by_run[run]) for run in of.samples[sample].runs]
            answers.append(
                {"sample": sample, "repeat": repeat, "question": question, "shown": shown, "ranks": ranks, "seconds": 4}
            )
    return {"version": 1, "page": of.page, "rater": rater, "answers": answers}


def write_votes(folder: Path, of: Key, *, raters: int, noise: float = 1.0, seed: int = 0) -> list[Path]:
    """A file of votes for each of some raters."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for rater in range(raters):
        paths.append(folder / f"votes-{rater:02d}.json")
        made = ballot(of, f"rater {rater:02d}", seed=100 * seed + rater, noise=noise)
        paths[-1].write_text(json.dumps(made))
    return paths
