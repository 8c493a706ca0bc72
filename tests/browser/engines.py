"""wllama for tests, from npm, fetched once and checked: `python -m tests.browser.engines` prints the folder that holds it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.small_model import folder

VERSION = "3.8.1"
FILES = {
    "wllama/esm/index.js": "e5506753e41a59c11f61f2c52422045be9fc76e32a7e47f037aaad5df4ec723e",
    "wllama/esm/wasm/wllama.wasm": "551f13439366eff11e057b1b91fe46a7fdac29d56d67372d4c5f19a549dfe70c",
    "wllama-compat/wasm/wllama.js": "2649eeb408988841c372e54805adfa25aed5d02f850c09add78c2f3ac0f3fce1",
    "wllama-compat/wasm/wllama.wasm": "2db3f67d0bcc19cdf8f14f129e46cab691bff898954808f8a2dc4c586eb5bb68",
}
"""What the page fetches of the engine, with its sha256."""


def wllama() -> Path:
    """The folder to serve as /engines. Raises FileNotFoundError without npm, CalledProcessError when it cannot get the packages."""
    target = folder() / f"wllama-{VERSION}"
    if all((target / name).exists() for name in FILES):
        return target
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        for package in ("wllama", "wllama-compat"):
            command = [npm, "pack", "--silent", f"@wllama/{package}@{VERSION}"]
            subprocess.run(command, cwd=work, check=True, stdout=subprocess.DEVNULL, timeout=300)
            with tarfile.open(Path(work) / f"wllama-{package}-{VERSION}.tgz") as archive:
                archive.extractall(Path(work) / "unpacked" / package, filter="data")
        made = Path(work) / "made"
        for name, sha256 in FILES.items():
            package, _, inside = name.partition("/")
            content = (Path(work) / "unpacked" / package / "package" / inside).read_bytes()
            if hashlib.sha256(content).hexdigest() != sha256:
                raise ValueError(f"{name} did not arrive whole: its sha256 is not {sha256}")
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_bytes(content)
        shutil.rmtree(target, ignore_errors=True)
        os.replace(made, target)
    return target


if __name__ == "__main__":
    print(wllama(), file=sys.stdout)
