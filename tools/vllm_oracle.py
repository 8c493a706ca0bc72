"""vLLM's own planner as an oracle: `python -m tools.vllm_oracle FOLDER` prepares it, tests/test_vllm_oracle.py asks it.

The official wheel is downloaded and only its Python files are kept; a virtual environment beside them gets a CPU build of PyTorch and what
the planner's modules import. No GPU and no compiler are needed; about 1.5 GB and some minutes are.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import Any

VERSION = "0.33.0"
TORCH = "torch==2.13.0"
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"
NEEDED = [
    "aiohttp",
    "attrs",
    "blake3",
    "cachetools",
    "cbor2",
    "cloudpickle",
    "diskcache",
    "einops",
    "fastapi",
    "gguf",
    "ijson",
    "llguidance",
    "lm-format-enforcer",
    "mcp",
    "msgspec",
    "numpy",
    "openai",
    "openai-harmony",
    "partial-json-parser",
    "pillow",
    "prometheus_client",
    "psutil",
    "py-cpuinfo",
    "pybase64",
    "pydantic",
    "python-json-logger",
    "pyzmq",
    "regex",
    "setproctitle",
    "tiktoken",
    "transformers==5.20.0",
    "uvloop",
    "xgrammar",
    "compressed-tensors",
    "depyf",
    "uvicorn",
]
"""What the planner's modules import, in this release."""


def prepare(folder: Path) -> None:
    """Everything that the oracle needs, in one folder. What is there already is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    package = folder / "wheel"
    if not package.exists():
        download = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--platform", "manylinux_2_28_x86_64"]
        subprocess.run([*download, "--dest", str(folder), f"vllm=={VERSION}"], check=True)
        wheel = next(folder.glob(f"vllm-{VERSION}-*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(package, [name for name in archive.namelist() if name.endswith((".py", ".json", "METADATA"))])
        wheel.unlink()
    if not (folder / "venv").exists():
        venv.create(folder / "venv", with_pip=True)
        pip = [str(_python(folder)), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--extra-index-url", TORCH_INDEX, TORCH], check=True)
        subprocess.run([*pip, *NEEDED], check=True)


def ask(folder: Path, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What vLLM's planner answers: groups, blocks, tokens, concurrency of each question."""
    program = Path(__file__).with_name("vllm_planner.py")
    done = subprocess.run(
        [str(_python(folder)), str(program)],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(folder / "wheel"), "PATH": "/usr/bin:/bin", "VLLM_LOGGING_LEVEL": "ERROR", "HOME": str(folder)},
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found: list[dict[str, Any]] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _python(folder: Path) -> Path:
    return folder / "venv" / "bin" / "python"


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
