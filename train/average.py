"""The exponential moving average of the trained weights, by diffusers' own class, or none."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from diffusers.training_utils import EMAModel


class Average:
    """Averaged weights in float32 beside the trained ones; saved in checkpoints as accelerate's custom object."""

    def __init__(self, parameters: Sequence[torch.nn.Parameter], *, decay: float | None) -> None:
        """Begin with the parameters as they are.

        Args:
            parameters: float32, on their device.
            decay: of the average, reached by (1 + n) / (10 + n) after n steps; None: there is no average.
        """
        self._parameters = list(parameters)
        self._model = EMAModel(self._parameters, decay=decay, foreach=True) if decay is not None else None

    def step(self) -> None:
        """Take in the weights after an optimiser step."""
        if self._model is not None:
            self._model.step(self._parameters)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the averaged weights in the place of the trained ones for as long as the context lasts."""
        if self._model is None:
            yield
            return
        self._model.store(self._parameters)
        self._model.copy_to(self._parameters)
        try:
            yield
        finally:
            self._model.restore(self._parameters)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps; nothing where there is no average."""
        return {} if self._model is None else self._model.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what a checkpoint kept."""
        if self._model is not None:
            self._model.load_state_dict(state)
            self._model.to(self._parameters[0].device)
