"""Fixed rows: held-out rows, noise and timesteps, on which losses of different weights can be compared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from train.autoencoder import autoencoder_batches
from train.base import Base, encode_images, tokenize
from train.batches import to_pixels
from train.diffusion import noised, sample_losses, target
from train.draws import normal
from train.engine import Engine
from train.text import Text
from train.watch.samples import Pair

BINS = 8  # equal parts of the noise schedule
BATCH = 16  # rows of one forward pass, at most; without gradients they need little memory
SEED = 0  # of the noise: the same in all runs, so that they can be compared row by row

Predict = Callable[[Tensor, Tensor, Text, Tensor, Tensor], Tensor]  # as `Control.forward`


@dataclass(frozen=True)
class FixedRows:
    """R rows; what is large stays on the CPU.

    Attributes:
        tokens: [R, T] int64 of each row's first caption, CPU; of Stable Diffusion XL [R, 2, T].
        latents: [R, C, h, w] float32, scaled, CPU.
        noise: [R, 8, C, h, w] float32 standard normal, CPU.
        hints: [R, K, 3, H, W] float32 in [0, 1], CPU.
        present: [R, K] float32 in {0, 1}, CPU.
    """

    keys: list[str]
    tokens: Tensor
    latents: Tensor
    noise: Tensor
    hints: Tensor
    present: Tensor

    @property
    def own(self) -> Tensor:
        """Which row each hint is taken from when every row has its own: [R, K] int64."""
        rows, conditions = self.present.shape
        return torch.arange(rows)[:, None].expand(rows, conditions)

    @property
    def others(self) -> Tensor:
        """The same when every row has another's, always the same one: [R, K] int64; see `deranged`."""
        return torch.stack([deranged(column) for column in self.present.T], dim=1)


def deranged(present: Tensor) -> Tensor:
    """Give each row that has a condition the next one that has it, in a ring; rows without it keep what they lack.

    The rows' order is that of a hash, so that neighbours have nothing to do with each other.

    Args:
        present: [R] float32 in {0, 1}.

    Returns:
        [R] int64. A single row that has the condition keeps its own.
    """
    order = torch.arange(len(present))
    having = order[present > 0]
    order[having] = having.roll(-1)
    return order


@torch.no_grad()
def fix_rows(base: Base, pairs: Sequence[Pair]) -> FixedRows:
    """Encode pictures and captions, and draw their noise."""
    device, size = base.unet.device, pairs[0].image.shape[0]
    keys = [pair.key for pair in pairs]
    latents = []
    for batch in autoencoder_batches(len(pairs), side=size):
        some = pairs[batch]
        pixels = torch.stack([to_pixels(pair.image) for pair in some])
        posterior = torch.stack([_noise(base, pair.key, "monitor posterior", size) for pair in some])
        latents.append(encode_images(base, pixels.to(device), posterior.to(device)).cpu())
    noise = [torch.stack([_noise(base, key, f"monitor {place}", size) for place in range(BINS)]) for key in keys]
    return FixedRows(
        keys=keys,
        tokens=torch.stack([tokenize(base.tokenizers, pair.caption) for pair in pairs]),
        latents=torch.cat(latents),
        noise=torch.stack(noise),
        hints=torch.stack([pair.hints for pair in pairs]),
        present=torch.stack([pair.present for pair in pairs]),
    )


def fixed_timesteps(timesteps: int) -> list[int]:
    """The middle of each of eight equal bins of a schedule of so many timesteps."""
    return [(2 * place + 1) * timesteps // (2 * BINS) for place in range(BINS)]


def losses(engine: Engine, rows: FixedRows, predict: Predict, hints_of: Tensor) -> Tensor:
    """Compute the mean square error of every row in every bin; the processes share the rows.

    Args:
        predict: a control in evaluation mode, or what stands for it.
        hints_of: [R, K] int64: from which row each hint is taken.

    Returns:
        [R, 8] float32 on the CPU, alike in every process.
    """
    accelerator = engine.accelerator
    batches = places(len(rows.keys), process=accelerator.process_index, processes=accelerator.num_processes)
    mine = torch.cat([_losses(engine, rows, predict, hints_of, batch) for batch in batches])
    return torch.as_tensor(accelerator.gather(mine))[: len(rows.keys)].cpu()


def places(rows: int, *, process: int, processes: int) -> list[list[int]]:
    """Which rows a process computes, batch by batch.

    Every process has as many batches of the same size (for networks that are spread over the processes, and so that
    compiled ones meet one shape); what that takes beyond the last row begins at the first again.
    """
    share = -(-rows // processes)
    batches = -(-share // BATCH)
    size = -(-share // batches)
    first = process * batches * size
    numbers = [number % rows for number in range(first, first + batches * size)]
    return [numbers[start : start + size] for start in range(0, len(numbers), size)]


def predict_alone(base: Base) -> Predict:
    """The base without control, in the dtype of its weights."""

    def predict(noisy: Tensor, timesteps: Tensor, text: Text, _hints: Tensor, _present: Tensor) -> Tensor:
        dtype = base.unet.dtype
        with torch.autocast(noisy.device.type, enabled=False):
            return torch.as_tensor(base.unet(noisy.to(dtype), timesteps, **text.of(dtype)).sample).float()

    return predict


def text_of(engine: Engine, tokens: Tensor) -> Text:
    """Encode captions, [B, T] int64 on the CPU."""
    return engine.text.encode(tokens, engine.accelerator.device)


@torch.no_grad()
def _losses(engine: Engine, rows: FixedRows, predict: Predict, hints_of: Tensor, batch: list[int]) -> Tensor:
    """Of the rows of one batch: [B, 8] float32 on the engine's device."""
    base, device = engine.base, engine.accelerator.device
    latents, noise = rows.latents[batch].to(device), rows.noise[batch].to(device)
    text = text_of(engine, rows.tokens[batch])
    columns = torch.arange(rows.present.shape[1])
    hints = rows.hints[hints_of[batch], columns].to(device)
    present = rows.present[batch].to(device)
    found = []
    for place, timestep in enumerate(fixed_timesteps(len(engine.shares))):
        timesteps = torch.full((len(batch),), timestep, device=device)
        shares = engine.shares[timesteps]
        with engine.accelerator.autocast():
            answer = predict(noised(latents, noise[:, place], shares), timesteps, text, hints, present)
        prediction = base.scheduler.config.prediction_type
        found.append(sample_losses(answer, target(latents, noise[:, place], shares, prediction=prediction)))
    return torch.stack(found, dim=1)


def _noise(base: Base, key: str, purpose: str, size: int) -> Tensor:
    return normal(SEED, key, 0, purpose=purpose, shape=base.latent_shape(size))
