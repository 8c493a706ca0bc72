"""The child process that counts tokens with the embedded llama.cpp: one GGUF file's vocabulary, no weights.

Reads JSON lines on stdin: first {"path": …}, then {"texts": […]} as often as wanted; answers each with one event. It ends with its input.
"""

from __future__ import annotations

import json
import signal
import sys
from typing import Any

from ...errors import SizeupError
from .library import Library
from .reports import die_with_parent, emit


def load(library: Library, path: str) -> Any:
    """The vocabulary of a file. Raises RuntimeError when the engine cannot read it."""
    params = library.llama_model_default_params()
    params.vocab_only = True
    params.n_gpu_layers = 0
    model = library.llama_model_load_from_file(path.encode(), params)
    if not model:
        raise RuntimeError("the engine could not load the vocabulary")
    return library.llama_model_get_vocab(model)


def count(library: Library, vocabulary: Any, text: str) -> int:
    """Tokens of a text, its special tokens taken as such, as the engine's server does with a prompt; none are added."""
    raw = text.encode("utf-8", "replace")
    # Without room for tokens the engine says, below zero, how much it would take.
    return -int(library.llama_tokenize(vocabulary, raw, len(raw), None, 0, False, True)) if raw else 0


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    try:
        library = Library()
        vocabulary = load(library, json.loads(sys.stdin.readline())["path"])
    except SizeupError as error:
        emit("failed", message=error.message)
        return 1
    except (RuntimeError, ValueError) as error:
        emit("failed", message=str(error))
        return 1
    emit("ready")
    for line in sys.stdin:
        emit("counts", counts=[count(library, vocabulary, text) for text in json.loads(line)["texts"]])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
