"""Pictures as the Inception network of FID and KID sees them, by torch-fidelity's port of the published one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from evaluate.quality.network import See, Seen
from evaluate.quality.published import Published, describe_published, find_published, read_published
from manifests.family import Weights

LAYER = "2048"  # torch-fidelity's name of the features before the classifier
PUBLISHED = Published(
    file="weights-inception-2015-12-05-6726825d.pth",
    sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    licence="Apache-2.0",
    source="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
)


@dataclass(frozen=True)
class Inception:
    """The network that FID was defined with (Heusel et al. 2017).

    Pictures are resized to 299 pixels as TensorFlow 1 did it, bilinear without antialiasing, which is part of the
    published definition. clean-fid resizes otherwise: its values are not these.
    """

    published: Published = PUBLISHED

    @property
    def title(self) -> str:
        """The port, by its own name."""
        return "torch-fidelity/inception-v3-compat"

    @property
    def remedy(self) -> str:
        """Its publisher."""
        return self.published.remedy

    def weights(self) -> list[Weights]:
        """One file."""
        return [describe_published(self.published)]

    def load(self, device: torch.device) -> See:
        """Load the network."""
        # Importing it takes a second, which whoever only reads numbers must not pay.
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        read_published(self.published)  # torch-fidelity 0.4 would run what a pickle says: see first that none does
        path = find_published(self.published)
        try:
            network = FeatureExtractorInceptionV3(self.title, [LAYER], feature_extractor_weights_path=str(path))
        except RuntimeError as error:
            raise ValueError(
                f"{path}: weights of another network ({str(error).splitlines()[0][:200]}). "
                f"Download {self.published.source} again"
            ) from error
        return partial(see, network=network.eval().to(device))


@torch.inference_mode()
def see(pictures: NDArray[np.uint8], captions: Sequence[str], *, network: torch.nn.Module) -> Seen:
    """Features of B pictures [B, H, W, 3] uint8 RGB: [B, 2048] float32, at least 0; no score."""
    device = next(network.parameters()).device
    pixels = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).to(device)
    (features,) = network(pixels)
    return Seen(np.asarray(features.float().cpu().numpy(), np.float32), [None] * len(pictures))
