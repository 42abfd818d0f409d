"""As much of the Hugging Face Hub as a push of small files asks for, on this machine: it keeps what it is sent."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

TOKEN = "hf_stand_in"


@dataclass
class Hub:
    """One repository, under whatever name it was made.

    Attributes:
        files: as committed, in the order they came.
        private: of the repository; None until it is made.
        fixed: whether it was there before, so that making it changes nothing.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    private: bool | None = None
    fixed: bool = False
    address: str = ""

    def answer(self, path: str, body: bytes) -> Any:
        """What the Hub says, as JSON."""
        if path.endswith("/repos/create"):
            asked = json.loads(body)
            self.private = self.private if self.fixed else asked["visibility"] == "private"
            return {"url": f"{self.address}/datasets/{asked['organization']}/{asked['name']}"}
        if "/preupload/" in path:
            named = [of["path"] for of in json.loads(body)["files"]]
            return {"files": [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in named]}
        if "/commit/" in path:
            self._commit([json.loads(line) for line in body.splitlines()])
            commit = f"{self.address}/datasets/someone/rooms/commit/{'0' * 40}"
            return {"commitUrl": commit, "commitOid": "0" * 40, "hookOutput": ""}
        if "/tree/" in path:
            return [{"type": "file", "path": name, "size": len(of), "oid": "0"} for name, of in self.files.items()]
        return {"name": "someone", "type": "user", "id": "someone/x", "private": self.private, "siblings": []}

    def _commit(self, changes: list[dict[str, Any]]) -> None:
        for change in changes:
            value = change["value"]
            if change["key"] == "file":
                self.files[value["path"]] = base64.b64decode(value["content"])
            elif change["key"] == "deletedFile":
                del self.files[value["path"]]


@contextmanager
def serve_hub() -> Iterator[Hub]:
    """A Hub at `address` as long as the context lasts."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or self._chunks())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _chunks(self) -> bytes:
            body = b""
            while chunk := self.rfile.read(int(self.rfile.readline(), 16)):
                body += chunk
                self.rfile.readline()
            return body

        def _answer(self, body: bytes) -> None:
            known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            said = hub.answer(self.path.partition("?")[0], body) if known else {"error": "Invalid credentials"}
            data = json.dumps(said).encode()
            self.send_response(200 if known else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
