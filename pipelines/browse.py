"""Dataset → a page on this machine: filter by any column, look, copy the filter into a manifest."""

import os
import socket
import sys
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import uvicorn
from typer import Argument, Option

from annotate.place import check_dataset
from evaluate.browse.app import make_app
from manifests.dataset import Dataset
from pipelines.entry import run as run_command

LOCAL = "127.0.0.1"  # captions, pictures and licences are nobody else's business


def main(
    dataset: Annotated[str, Argument(help="made by pipelines/ingest.py; a folder, or s3://bucket/prefix")],
    port: Annotated[int, Option(help="of this machine; 0: any that is free", min=0, max=65535)] = 8266,
) -> None:
    """Browse a dataset: python pipelines/browse.py /data/photos_pairs

    Serves one page to this machine alone, until Ctrl+C; from another one: ssh -L 8266:127.0.0.1:8266 HOST. It writes
    nothing. A million rows take some two seconds to start. docs/browse.md says more.
    """
    with listen(port) as opened:
        app = make_app(Dataset.open(check_dataset(dataset)))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        print(f"made http://{LOCAL}:{opened.getsockname()[1]}/ (Ctrl+C ends it)", flush=True)
        server.run(sockets=[opened])


def listen(port: int) -> socket.socket:
    """A socket of this machine alone.

    Raises:
        ValueError: the port can't be had.
    """
    try:
        return socket.create_server((LOCAL, port))
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()  # create_server adds the address to it
        raise ValueError(
            f"port {port}: {why}. Choose another: --port 8267, or --port 0 for any that is free"
        ) from error


if __name__ == "__main__":
    run_command(main)
