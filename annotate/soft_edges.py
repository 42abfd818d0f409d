"""What detectors of soft edges share: a probability in eight bits, of which a "safe" map uses three levels only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from annotate.annotator import Annotator, Parameters
from annotate.draws import generator
from annotate.precision import Precision
from manifests.condition import Kind

Share = Annotated[float, Field(ge=0, le=1)]
LIKELY = 128  # of 255: more likely an edge than not. A safe map's middle level, which walls have too, is not enough


@dataclass(frozen=True)
class SoftEdges(Annotator):
    """Probability of an edge at each pixel, as 8 bits; `edge_density` is then the mass of the soft edges.

    Each row's map is safe or not by a draw, and the row records which. Three levels hide less of the picture in the
    map: ControlNet 1.1 calls this safe.
    """

    kind: ClassVar[Kind] = "soft"
    parameters: ClassVar[dict[str, pa.DataType]] = {"safe": pa.bool_()}

    safe_share: Share = 0.0  # of the rows; ControlNet 1.1 trained with 0.75
    seed: int = 0  # of the draw
    precision: Precision = "fp32"  # of the network but for its head

    def draw(self, seed_key: str) -> dict[str, Any]:
        """Whether the row's map is a safe one."""
        return {"safe": bool(generator(self.seed, seed_key).random() < self.safe_share)}

    def empty(self, condition: NDArray[np.uint8]) -> bool:
        """No pixel is more likely an edge than not; of a safe map: none has its top level, from two thirds on."""
        return int(condition.max()) < LIKELY


def quantise(probability: Tensor, parameters: Sequence[Parameters]) -> list[NDArray[np.uint8]]:
    """Probabilities to bytes, cut off rather than rounded, as controlnet_aux does.

    Args:
        probability: [B, H, W] float32 or float64 in [0, 1].
        parameters: `safe` of each picture: 0, 127 and 255 only.

    Returns:
        B maps [H, W] uint8, 255 a sure edge.
    """
    safe = torch.tensor([row["safe"] for row in parameters], device=probability.device)
    levels = torch.trunc(probability.float() * 3) / 2  # controlnet_aux's safe_step
    chosen = torch.where(safe[:, None, None], levels, probability)
    return list((chosen * 255).clamp(0, 255).to(torch.uint8).cpu().numpy())
