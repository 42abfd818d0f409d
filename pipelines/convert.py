"""A trained ControlNet ⇄ one file in its authors' layout, which ComfyUI and the WebUI load."""

import json
import sys
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import diffusers
import torch
from diffusers import ControlNetModel
from typer import Argument, Option

from manifests.storage import check_local, replace_text
from pipelines.entry import run as run_command
from train.control.initial import check_whole, controlnet_folder, read_controlnet
from train.interchange.label import LABEL, label_at, label_in
from train.interchange.single_file import net_of, write_single_file
from train.interchange.weights_file import PICKLED, SAFETENSORS, read_weights
from train.whole_folder import save_folder


def main(
    source: Annotated[Path, Argument(help="a run, a folder in diffusers' layout, or a single file")],
    out: Annotated[Path, Argument(help="a new file that ends in .safetensors, or a new folder in diffusers' layout")],
    fp16: Annotated[bool, Option("--fp16", help="weights of half the size, rounded to 11 bits")] = False,
) -> None:
    """Convert: python pipelines/convert.py runs/canny_10k canny_10k.safetensors --fp16

    The file goes into models/controlnet of ComfyUI, or extensions/sd-webui-controlnet/models of the WebUI
    (docs/ecosystem.md). And back: python pipelines/convert.py canny_10k.safetensors canny_10k. Without --fp16 not a bit
    changes, either way.
    """
    diffusers.utils.logging.disable_progress_bar()
    check_out(out)
    net, label = read(source)
    dtype = torch.float16 if fp16 else net.dtype
    if out.suffix == SAFETENSORS:
        write_single_file(net, out, header=label, dtype=dtype)
    else:
        write_folder(net, out, label=label, dtype=dtype)
    weights = sum(parameter.numel() for parameter in net.parameters())
    print(f"made {out}: {weights / 1e6:.1f} million weights as {str(dtype).removeprefix('torch.')}")


def read(source: Path) -> tuple[ControlNetModel, dict[str, str]]:
    """A ControlNet and its label, which is empty if it is not of ours."""
    if source.is_file():
        file = read_weights(source)
        return net_of(file), label_in(file.header)
    check_local(source, "run")
    check_whole(source)
    return read_controlnet(str(source.absolute())), label_at(controlnet_folder(source))


def write_folder(net: ControlNetModel, out: Path, *, label: dict[str, str], dtype: torch.dtype) -> None:
    """Write a folder that diffusers' `ControlNetModel.from_pretrained` reads."""
    torch.nn.Module.to(net, dtype=dtype)  # not net.to(...), which warns of modules that aren't here

    def write(folder: Path) -> None:
        net.save_pretrained(folder)
        if label:
            replace_text(json.dumps(label, indent=2) + "\n", folder / LABEL)

    save_folder(write, out)


def check_out(out: Path) -> None:
    """Refuse what would be overwritten, and a kind of file that is not written."""
    if out.suffix in PICKLED:
        raise ValueError(f"{out}: written as {SAFETENSORS} alone. Give {out.with_suffix(SAFETENSORS)}")
    if out.exists():
        raise ValueError(f"{out}: it is there already. Name another, or take it away first")


if __name__ == "__main__":
    run_command(main)
