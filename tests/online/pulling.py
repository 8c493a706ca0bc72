"""One file to be fetched by a test, and a child process that fetches it and may be killed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from sizeup.download import Item
from sizeup.net import Client, Patience
from tests.online.site import Answer, Asked, sha256

CHUNK = 1 << 16
HASTY = Patience(tries=8, first_s=0.01, longest_s=0.02, read_s=5, longest_asked_s=2)


class Files:
    """A site's files by path, each with an ETag; `answer` is for `serving`."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def answer(self, asked: Asked) -> Answer:
        content = self.files.get(asked.path)
        if content is None:
            return Answer(404)
        return Answer(200, {"ETag": f'"{sha256(content)[:16]}"'}, content, ranged=True)


def item(address: str, content: bytes, folder: Path, checked: bool = True) -> Item:
    """The file at this address of a site."""
    return Item(
        f"{address}/file.gguf",
        folder / "file.gguf",
        folder / ".sizeup-pull",
        "file.gguf",
        len(content),
        sha256(content) if checked else None,
    )


def client(address: str) -> Client:
    return Client(address, patience=HASTY)


CHILD = """
import json, sys
from pathlib import Path
from sizeup.download import Download, Item
from tests.online.pulling import CHUNK, client
address, folder, size, digest = json.loads(sys.argv[1])
folder = Path(folder)
item = Item(address + "/file.gguf", folder / "file.gguf", folder / ".sizeup-pull", "file.gguf", size, digest)
with client(address) as one:
    print("ready", flush=True)
    Download(one, item, chunk=CHUNK).run()
"""


def child(address: str, content: bytes, folder: Path) -> subprocess.Popen[bytes]:
    """A process of its own that fetches the file; it says a line when it begins."""
    told = json.dumps([address, str(folder), len(content), sha256(content)])
    started = subprocess.Popen([sys.executable, "-c", CHILD, told], stdout=subprocess.PIPE)
    assert started.stdout is not None
    assert started.stdout.readline() == b"ready\n"
    started.stdout.close()
    return started
