"""Can an annotator run here? Its weights are looked for, it is loaded, and shown the golden picture."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from itertools import product
from pathlib import Path
from typing import Literal

import torch

from annotate.annotator import PICTURES, Annotator
from annotate.chain import Link, path_to, source
from annotate.published import MODELS, WEIGHTS
from annotate.registry import ANNOTATORS, build
from annotate.weights import TINY, Missing, describe, find_file, find_model, offline, on_hub
from evaluate.doctor.golden import FOLDER, KEY, card_of, compare, golden_input, recorded
from manifests.condition import Condition
from manifests.room import in_bytes

State = Literal["expected", "runs", "differs", "broken", "missing", "dataset"]
SOUND: tuple[State, ...] = ("expected", "runs")
AT_FAULT: tuple[State, ...] = ("differs", "broken")  # something is wrong here, and not only lacking
UNKNOWN = "licence unknown"


@dataclass(frozen=True)
class Need:
    """Weights that are not on this machine.

    Attributes:
        name: of the file or model, as annotators name it.
        command: fetches it, where there is a network.
        said: its size, where that is known, and licence.
    """

    name: str
    command: str
    said: str


@dataclass(frozen=True)
class Finding:
    """What was found out about one family.

    Attributes:
        device: on which it ran, with the GPU memory that it took at most; "" where it didn't.
        seconds: on the golden picture, when it had been loaded and run once; None where it didn't run.
        said: how it went, in words.
        stand_in: setting that takes a tiny detector of the playroom in its place; "" where there is none.
    """

    family: str
    state: State
    said: str
    device: str = ""
    seconds: float | None = None
    needs: tuple[Need, ...] = ()
    stand_in: str = ""


@dataclass(frozen=True)
class Shown:
    """What became of the golden picture: the condition, where it was made, and how long that took."""

    made: Condition
    device: str
    seconds: float


def examine(annotators: Mapping[str, Annotator], family: str, device: torch.device, folder: Path = FOLDER) -> Finding:
    """Try one family, offline.

    Args:
        annotators: as `annotate.chain.assemble` gives them: also those that it reads.
        folder: of the golden conditions.
    """
    stand_in = find_stand_in(annotators[family].name)
    with offline():
        if lacks := why_not(annotators, family):
            needs = tuple(need for step in path_to(annotators, family) for need in missing_weights(annotators[step]))
            return Finding(family, "missing" if needs else "dataset", lacks, needs=needs, stand_in=stand_in)
        try:
            found = _try(annotators, family, device, folder)
        except Exception as error:  # whatever it raises is what was to be found out
            return Finding(family, "broken", f"{type(error).__name__}: {error}", stand_in=stand_in)
        return replace(found, said="; ".join(filter(None, [found.said, _unpublished(annotators[family])])))


def why_not(annotators: Mapping[str, Annotator], family: str) -> str:
    """What a family lacks to run here, "" if nothing; to be asked `offline`, or weights are fetched."""
    steps = path_to(annotators, family)
    if (reads := source(annotators, steps[0])) not in PICTURES:
        return f"reads {reads}, which only a dataset has"
    needs = [need for step in steps for need in missing_weights(annotators[step])]
    return f"not on this machine: {', '.join(f'{need.name} ({need.said})' for need in needs)}" if needs else ""


def missing_weights(annotator: Annotator) -> list[Need]:
    """Those of an annotator's weights that are not on this machine; to be asked `offline`."""
    return [need_of(name) for name in annotator.weights if _is_missing(name)]


def need_of(name: str) -> Need:
    """How to get weights by name."""
    if name in WEIGHTS:
        file = WEIGHTS[name]
        return Need(name, f"hf download {file.repository} {name}", f"{file.megabytes} MB, {file.licence}")
    model = MODELS.get(name)
    repository, inner = on_hub(name)
    fetched = f"{repository} --include '{inner}/*'" if inner else repository
    return Need(name, f"hf download {fetched}", model.licence if model else UNKNOWN)


def fetch(annotators: Mapping[str, Annotator]) -> list[str]:
    """Get weights, from the Hub where they are not on this machine; what could not be had, in words."""
    trouble = []
    for name in dict.fromkeys(name for annotator in annotators.values() for name in annotator.weights):
        try:
            (find_file if name in WEIGHTS else find_model)(name)
        except ValueError as error:
            trouble.append(str(error))
    return trouble


def find_stand_in(name: str) -> str:
    """The setting that gives an annotator the playroom's detector of its name; "" where there is none."""
    model = f"tiny/{name}"
    if not list((TINY / name).glob("*.safetensors")):
        return ""
    for setting, value in product((field.name for field in fields(ANNOTATORS[name])), (model, "tiny")):
        try:
            built = build(name, {setting: value}, name)
        except ValueError:  # not the setting that takes one
            continue
        if model in built.weights:
            return f"--set {name}.{setting}={value}"
    return ""


def _is_missing(name: str) -> bool:
    try:
        describe(name)
    except Missing:
        return True
    except ValueError:  # there, and damaged: loading it says how
        return False
    return False


def show(annotators: Mapping[str, Annotator], family: str, device: torch.device) -> Shown:
    """Load what leads to a family, and run it on the golden picture."""
    links = [Link(step, annotators[step], annotators[step].load(device)) for step in path_to(annotators, family)]
    read = golden_input(annotators, family)
    for link in links[:-1]:
        read = link.as_read(link(read, [KEY]))
    links[-1](read, [KEY])  # what happens once, on the first picture, is not timed
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
    before, held = time.perf_counter(), torch.cuda.memory_allocated(device) if on_gpu else 0
    (made,) = links[-1](read, [KEY])
    seconds = time.perf_counter() - before
    peak = torch.cuda.max_memory_allocated(device) if on_gpu else 0
    used = f"{torch.cuda.get_device_name(device)}, {in_bytes(peak)}" if peak > held else "CPU"
    return Shown(made, used, seconds)


def _try(annotators: Mapping[str, Annotator], family: str, device: torch.device, folder: Path) -> Finding:
    """Show a family the golden picture, and compare."""
    annotator, stand_in = annotators[family], find_stand_in(annotators[family].name)
    shown, card = show(annotators, family, device), card_of(annotators, family)
    golden = recorded(card, folder)
    state: State = "runs"
    said = ["finds nothing in the photograph"] if annotator.empty(shown.made) else []
    if golden is None:
        said.append("no golden condition is recorded of these weights and settings")
    else:
        exact = not any(annotators[step].weights for step in path_to(annotators, family))
        verdict = compare(card, golden, shown.made, exact=exact)
        state = "expected" if verdict.same else "differs"
        said.append(verdict.said)
    return Finding(family, state, "; ".join(said), shown.device, shown.seconds, stand_in=stand_in)


def _unpublished(annotator: Annotator) -> str:
    """Which files of weights are others than the published ones of that name."""
    names = [name for name in annotator.weights if name in WEIGHTS]
    return "; ".join(
        f"{name} is not the published file ({in_bytes(find_file(name).stat().st_size)} with sha256 "
        f"{found.sha256[:8]}…, not {WEIGHTS[name].megabytes} MB with {WEIGHTS[name].sha256[:8]}…)"
        for name in names
        for found in describe(name)
        if found.sha256 != WEIGHTS[name].sha256
    )
