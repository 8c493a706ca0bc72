"""The CUDA device that is not there: a small library for PyTorch builds without CUDA, compiled once and kept."""

from __future__ import annotations

import ctypes
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from sizeup.home import data_dir

SOURCE = Path(__file__).with_name("device.cpp")
COMPILERS = ("c++", "g++", "clang++")
SECONDS = 300
"""Longer than the compiler needs on a slow machine."""


def torch_folder() -> Path:
    """Where torch is installed, without importing it."""
    found = importlib.util.find_spec("torch")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def built_for_cuda() -> bool:
    """Whether this torch has CUDA in it and brings a guard of its own, by its version file."""
    said = (torch_folder() / "version.py").read_text(encoding="utf-8")
    return re.search(r"^cuda\b.*=\s*None", said, re.MULTILINE) is None


def compiler() -> str | None:
    """The C++ compiler of this machine: $CXX, or the first that is found; None when there is none."""
    for name in filter(None, (os.environ.get("CXX"), *COMPILERS)):
        found = shutil.which(name)
        if found:
            return found
    return None


def library() -> Path:
    """The compiled library for this torch and this source, made when it is not there. Raises OSError when it cannot be made."""
    content = SOURCE.read_bytes()
    stamp = hashlib.sha256(content + importlib.metadata.version("torch").encode() + str(torch_folder()).encode()).hexdigest()[:16]
    folder = data_dir() / "trace"
    path = folder / f"device-{stamp}{'.dylib' if sys.platform == 'darwin' else '.so'}"
    if path.exists():
        return path
    found = compiler()
    if found is None:
        raise FileNotFoundError("no C++ compiler")
    folder.mkdir(exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}")
    where = torch_folder()
    command = [found, "-O1", "-std=c++20", "-shared", "-fPIC", f"-I{where / 'include'}", str(SOURCE), "-o", str(partial)]
    command += [f"-L{where / 'lib'}", "-lc10", "-ltorch_cpu", f"-Wl,-rpath,{where / 'lib'}"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
        if done.returncode:
            raise OSError(f"{found} failed")
        partial.replace(path)
    except subprocess.TimeoutExpired:
        raise OSError(f"{found} took too long") from None
    finally:
        partial.unlink(missing_ok=True)
    return path


def install() -> bool:
    """Put the device in place before torch is imported. False where it cannot be: no compiler, another system, a torch with CUDA."""
    assert "torch" not in sys.modules, "the device has to be there before torch"
    if os.name != "posix" or built_for_cuda():
        return False
    try:
        return bool(ctypes.CDLL(str(library())).install() == 0)
    except OSError:
        return False
