"""Published weights that no Hub serves: one pinned file each, which somebody puts on this machine."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch

from annotate.weights import LOCAL, OTHERS, VARIABLE, Missing, read_state
from manifests.family import Weights
from manifests.storage import sha256_of


@dataclass(frozen=True)
class Published:
    """One published file.

    Attributes:
        file: its name, or a path of one's own to it.
        sha256: of the published file; another file of that name is refused, unless it is said that another is meant.
        source: the address it is published at.
    """

    file: str
    sha256: str
    licence: str
    source: str

    @property
    def name(self) -> str:
        """Without the folder."""
        return Path(self.file).name

    @property
    def remedy(self) -> str:
        """Where to get it, the same sentence on every machine."""
        return f"{self.name} is not on this machine. Download {self.source} into a folder and set {VARIABLE} to it"


def find_published(published: Published) -> Path:
    """The file in the folder `PAIRMILL_WEIGHTS`, else in torch's cache, where other tools download it to.

    Raises:
        Missing: it is in neither; says where to get it.
        ValueError: it is not the published one, and `PAIRMILL_OTHER_WEIGHTS` doesn't say that another is meant.
    """
    folders = [Path(folder) for folder in (os.environ.get(VARIABLE),) if folder]
    folders.append(Path(torch.hub.get_dir()) / "checkpoints")
    found = next((folder / published.file for folder in folders if (folder / published.file).is_file()), None)
    if found is None:
        raise Missing(published.remedy)
    digest = sha256_of(found)
    if digest != published.sha256 and os.environ.get(OTHERS) != "1":
        raise ValueError(
            f"{found}: sha256 {digest} is not the published {published.sha256}. Put the published one there "
            f"({published.source}) or, if another is meant, set {OTHERS}=1"
        )
    return found


def describe_published(published: Published) -> Weights:
    """What is recorded of the file found.

    Raises:
        Missing: there is none.
        ValueError: it is another one.
    """
    digest = sha256_of(find_published(published))
    if digest != published.sha256:
        return Weights(file=published.name, sha256=digest, licence="unknown", source=LOCAL)
    return Weights(file=published.name, sha256=digest, licence=published.licence, source=published.source)


def read_published(published: Published) -> dict[str, torch.Tensor]:
    """The state dict in the file, on the CPU; nothing in it is executed.

    Raises:
        ValueError: It can't be had, or holds something else.
    """
    return read_state(find_published(published), f"Download {published.source} again")
