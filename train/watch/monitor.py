"""The control monitor: whether the control has an effect, and reads its hint, measured without drawing a picture."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributed.tensor import DTensor

from manifests.manifest import Manifest
from train.control.control import Control
from train.engine import Engine
from train.watch.fixed_rows import BINS, FixedRows, Predict, fix_rows, losses, predict_alone
from train.watch.observe import DIVERGED, Findings
from train.watch.record import Record
from train.watch.samples import validation_pairs

Array = NDArray[np.float64]


class Monitor:
    """An observer that compares losses on fixed held-out rows with fixed noise, in eight bins of the noise schedule.

    The raw loss varies from step to step by more than a control ever lowers it. Here all else is equal: the same rows,
    noise and timesteps without control, with it, and with the hint of another row. At the default of 32 rows a look
    takes 512 forward passes of one sample (the first look, 768).
    """

    def __init__(self, engine: Engine, manifest: Manifest, run: Path) -> None:
        """Read nothing yet: the rows are read at the first look, so that no first step waits for them."""
        self._engine = engine
        self._manifest = manifest
        self._run = run
        self._record = Record(run)
        self._rows: FixedRows | None = None
        self._alone: Array | None = None  # [R, 8]: the base does not change
        self._blind = False

    def due(self, step: int) -> bool:
        """Every `watch.monitor_every` steps and at the end; never if that is 0."""
        every = self._manifest.watch.monitor_every
        return bool(every) and not self._blind and (step % every == 0 or step == self._manifest.train.steps)

    def __call__(self, step: int) -> Findings:
        """Measure the weights that are the result; alike in every process, of which the first keeps the rows' losses.

        Returns:
            Numbers as `numbers_of` and `connection_norms` name them.

        Raises:
            ValueError: A loss is no number.
        """
        rows = self._rows = self._rows or self._read()
        if rows is None:
            self._blind = True
            return Findings(warnings=(self._why_blind(),))
        if self._alone is None:
            self._alone = self._losses(predict_alone(self._engine.base), rows, rows.own)
        with self._engine.result_weights() as control:
            found = {
                "alone": self._alone,
                "control": self._losses(control, rows, rows.own),
                "shuffled": self._losses(control, rows, rows.others),
            }
            norms = connection_norms(control)
        trouble = _trouble(step, found)
        if trouble:  # in every process, since all have all losses; no checkpoint is made of such weights
            raise ValueError(f"{self._run}: {trouble}")
        if self._engine.accelerator.is_main_process:
            self._record.write(step, rows.keys, found)
        return Findings(numbers={**numbers_of(**found), **norms})

    def _read(self) -> FixedRows | None:
        pairs = validation_pairs(self._manifest, rows=self._manifest.watch.monitor_rows)
        return fix_rows(self._engine.base, pairs) if len(pairs) > 1 else None

    def _why_blind(self) -> str:
        return (
            f"the control monitor needs two rows of the validation split of {self._manifest.dataset} with an ok "
            f"'{self._manifest.condition}', to show each the other's hint. Ingest more, raise watch.monitor_rows, or "
            "turn it off with watch.monitor_every=0"
        )

    def _losses(self, predict: Predict, rows: FixedRows, hints_of: Tensor) -> Array:
        return losses(self._engine, rows, predict, hints_of).double().numpy()


def numbers_of(alone: Array, control: Array, shuffled: Array) -> dict[str, float]:
    """What is logged of a look.

    Args:
        alone: [R, 8] mean square errors of the base without control.
        control: [R, 8] likewise with each row's own hint.
        shuffled: [R, 8] likewise with another row's hint.

    Returns:
        "control/gain", by how much the control lowers the loss, and "control/hint", by how much the true hint lowers it
        against another row's (higher is better): means over rows and bins; each with its standard error over the rows
        as "…_se", and with its mean in each bin as "…_bin0" (little noise) to "…_bin7" (much). "control/loss" is the
        mean loss with control (lower is better).
    """
    numbers = {"control/loss": float(control.mean())}
    for name, effect in (("control/gain", alone - control), ("control/hint", shuffled - control)):
        rows = effect.mean(axis=1)
        numbers[name] = float(rows.mean())
        numbers[f"{name}_se"] = float(rows.std(ddof=1) / np.sqrt(len(rows)))
        numbers |= {f"{name}_bin{place}": float(effect[:, place].mean()) for place in range(BINS)}
    return numbers


@torch.no_grad()
def connection_norms(control: Control) -> dict[str, float]:
    """How far the connections to the base (zero convolutions, at first) have grown.

    Returns:
        Euclidean norm of weights and biases of each: "zero_norm/down0", the finest, and so on to "zero_norm/mid". Of
        several nets: "zero_norm/NET/down0". Of kinds other than a ControlNet: "zero_norm/0" and so on, in their order.
        Empty for a control without such connections.
    """
    nets = {place: layers for place, net in control.named_modules() if (layers := _connections(net))}
    layers = {
        f"zero_norm/{place}/{name}" if len(nets) > 1 else f"zero_norm/{name}": layer
        for place, net in nets.items()
        for name, layer in net.items()
    }
    grown = {name: [_whole(weight) for weight in layer.parameters()] for name, layer in layers.items()}
    norms = [torch.cat([weight.flatten() for weight in weights]).norm() for weights in grown.values()]
    return dict(zip(grown, torch.stack(norms).tolist(), strict=True)) if norms else {}


def _whole(weight: Tensor) -> Tensor:
    """All of a weight of which each process may hold a piece; then every process must call this."""
    return weight.full_tensor() if isinstance(weight, DTensor) else weight


def _connections(net: torch.nn.Module) -> dict[str, torch.nn.Module]:
    """Those that a network itself has, by the name of their place in it; none of most."""
    children = dict(net.named_children())
    if "controlnet_mid_block" in children:
        down = children["controlnet_down_blocks"].named_children()
        return {**{f"down{place}": layer for place, layer in down}, "mid": children["controlnet_mid_block"]}
    return dict(children["connections"].named_children()) if "connections" in children else {}


def _trouble(step: int, found: dict[str, Array]) -> str:
    """Why training should end: a loss that is no number; "" where all are."""
    broken = [name for name, values in found.items() if not np.isfinite(values).all()]
    if "alone" in broken:
        return (
            f"the control monitor finds at step {step:,} that the base's own losses are no numbers, without any "
            "control. Take train.precision=bf16 or no, or another base"
        )
    if broken:
        rows = sum(not np.isfinite(values).all() for values in found["control"])
        return (
            f"the control monitor finds at step {step:,} losses that are no numbers in {rows} of "
            f"{len(found['control'])} held-out rows. {DIVERGED}"
        )
    return ""
