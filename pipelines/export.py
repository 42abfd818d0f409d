"""Manifest → three columns: a subset and its held-out rows as diffusers' train_controlnet.py and the Hub read them."""

import sys
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from tqdm import tqdm
from typer import Argument, Option
from upath import UPath

from annotate.place import check_path
from evaluate.page.strip import show_export
from manifests.card import EXAMPLES
from manifests.dataset import SETTINGS
from manifests.manifest import load_manifest
from manifests.push import check_push, push_folder
from manifests.storage import PARTIAL, locate
from pipelines.entry import run as run_command
from train.export.card import write_export_card
from train.export.export import DATA, RECORD, Export, begin_export, missing_shards, plan_export
from train.export.shards import check_export_room, clear, forecast, make_shards, rows_of, wave_of

FILES = (f"{DATA}/*.parquet", RECORD, EXAMPLES)  # beside the card
NOT_FOR_THE_HUB = ("training_sets/*", "index/*", "logs/*", f"*{PARTIAL}*")  # of a dataset


def main(  # noqa: PLR0913, PLR0917  options of a command
    manifest: Annotated[Path, Argument(help="YAML, as manifests/canny_10k.yaml")],
    out: Annotated[str, Argument(help="folder, or s3://bucket/prefix; empty, or an export begun before")],
    held_out: Annotated[int, Option(help="rows of validation and of test, at most", min=0)] = 2_000,
    shard_rows: Annotated[int, Option(help="rows of one Parquet file", min=1)] = 2_048,
    source: Annotated[str, Option(help="columns of source/ to carry beside key and licence, as id,url")] = "",
    push: Annotated[str, Option(help="NAMESPACE/NAME on the Hugging Face Hub, private")] = "",
    public: Annotated[bool, Option("--public", help="whoever finds it there may read it")] = False,
    set_: Annotated[list[str] | None, Option("--set", help="field=value, as rows=500 or section.field=value")] = None,
) -> None:
    """Export: python pipelines/export.py manifests/canny_10k.yaml /data/canny_10k --set dataset=/data/photos_pairs

    Columns image, text and conditioning_image, splits train, validation and test; docs/hub.md says what diffusers'
    script makes of them. A row of 512 pixels takes some 14 ms of a core. Killed and started again, it makes
    only what is missing.
    """
    path, root = check_path(manifest, "manifest"), locate(out)
    root = root.absolute() if isinstance(root, Path) else root
    check_what(path, root, push)
    if push:
        check_push(push)
    columns = [name for name in source.split(",") if name]
    export = plan_export(load_manifest(path, set_ or []), held=held_out, shard_rows=shard_rows, source=columns)
    begin_export(export, root)
    for split, count in export.found.items():
        print(f"{split}: {export.record.rows.get(split, 0):,} of {count:,} rows")
    make(export, root)
    print(f"made {root}")
    if push and isinstance(root, Path):
        print(f"pushed to {push_folder(root, push, FILES, public=public)}")


def make(export: Export, root: UPath) -> None:
    """Make what is missing, the card last."""
    missing = missing_shards(export, root)
    if any(missing.values()):
        wave = wave_of(export, root, missing)
        expected = forecast(export, missing, wave=wave)
        print(expected)
        check_export_room(root, expected, sum(map(len, missing.values())), wave=wave)
        with tqdm(total=len(rows_of(export, missing)), desc="export", unit="img", disable=None) as bar:
            make_shards(export, root, bar.update, wave=wave)
    show_export(export.path(root, "train", 0), root)
    write_export_card(export, root)
    clear(root)


def check_what(manifest: Path, out: UPath, push: str) -> None:
    """Refuse a dataset in the place of a manifest, and to push what isn't on this machine."""
    if (manifest / SETTINGS).exists():
        leaving_out = " ".join(f"--exclude '{name}'" for name in NOT_FOR_THE_HUB)
        raise ValueError(
            f"{manifest}: a dataset; an export is of a manifest. To push the dataset itself, each family a "
            f"configuration: hf upload NAMESPACE/NAME {manifest} . --repo-type dataset --private {leaving_out}"
        )
    if push and not isinstance(out, Path):
        raise ValueError(f"{out}: only a folder of this machine is pushed. Export to one, or leave --push out")


if __name__ == "__main__":
    run_command(main)
