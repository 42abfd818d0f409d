"""An S3 server of this machine, a process of its own, that this process and its children find by their environment."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import boto3
from botocore.exceptions import EndpointConnectionError

BUCKET = "corpora"


@contextmanager
def serve_s3() -> Iterator[str]:
    """Address of an empty bucket. One server to a process: s3fs remembers the first."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    known = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with patch.dict(os.environ, known):
        make_bucket(time.monotonic() + 60)
        yield f"s3://{BUCKET}"
    server.terminate()
    server.wait()


def make_bucket(deadline: float) -> None:
    """Make the bucket as soon as the server answers."""
    while True:
        try:
            boto3.client("s3").create_bucket(Bucket=BUCKET)
            return
        except EndpointConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
