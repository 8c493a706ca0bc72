"""The tensors of a model as transformers itself would save them: its class is built without weights and asked for its names.

The library is the judge of its own names, shapes and tied weights, so no rule of ours stands in between. It runs in a child
process, without a network and without anybody's remote code.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sizeup.errors import Unavailable
from sizeup.model import ModelSpec, Tensor
from sizeup.quant import quants

SECONDS = 300
"""Longer than any class needs to be built without weights."""
DTYPES = {"bf16": "bfloat16", "f16": "float16", "f32": "float32"}
"""Formats of a checkpoint's weights as people write them -> as torch names them."""
CODES = {"float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16"}
CODES |= {"int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL"}
"""torch's number types -> the safetensors format's."""
FOREIGN = ("auto_map", "quantization_config")
"""Fields that would run other people's code, or that want packed tensors where plain ones are written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored array in the checkpoint's own words: `dtype` is a safetensors type, `shape` stands in torch's order."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    def tensor(self) -> Tensor:
        """The same array in ggml's order; a scalar is a row of one."""
        return Tensor(self.name, tuple(reversed(self.shape)) or (1,), quants()[self.dtype.lower()].name)

    @property
    def bytes(self) -> int:
        return self.tensor().bytes


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The class that transformers makes of a config, and every tensor it would save, in its order."""

    class_name: str
    library: str
    entries: tuple[Entry, ...]


def skeleton(model: ModelSpec, dtype: str = "bf16") -> Skeleton:
    """What transformers would save of this model in this format; a few of its tensors may insist on another.

    Tied weights are left out, and fused ones are taken apart, as save_pretrained does. Raises Unavailable without the library
    or for a config that it knows no class for.
    """
    if not (importlib.util.find_spec("transformers") and importlib.util.find_spec("torch")):
        raise Unavailable(
            "The names of a checkpoint's tensors are transformers' to say, and it is not installed here: pip install \".[transformers]\" in the folder of sizeup.",
            "sizeup ghost with --config-only",
        )
    asked = {
        "config": {key: value for key, value in model.config.items() if key not in FOREIGN},
        "dtype": DTYPES[dtype],
        "automatic": _automatic(model),
    }
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=json.dumps(asked).encode(),
            capture_output=True,
            timeout=SECONDS,
            env=environment,
            check=False,
        )
        said = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        raise Unavailable(f"transformers did not describe {model.name} within {SECONDS} s.", "sizeup ghost with --config-only") from None
    except (ValueError, IndexError):
        raise Unavailable(f"transformers ended without describing {model.name}.", "sizeup ghost with --config-only") from None
    library = f"transformers {importlib.metadata.version('transformers')}"
    if "failed" in said:
        kind = str(model.config.get("model_type") or model.model_type)
        why = f"{library} cannot build {kind}: {said['failed']}." if said["failed"] else f"{library} has no class for {kind}."
        raise Unavailable(why, "sizeup ghost with --config-only")
    return Skeleton(said["class"], library, tuple(Entry(name, kind, tuple(shape)) for name, kind, shape in said["tensors"]))


def _automatic(model: ModelSpec) -> list[str]:
    """The library's own choosers for a config that names no class of it, the likeliest first."""
    several, one = "AutoModelForImageTextToText", "AutoModelForCausalLM"
    order = [several, one] if model.towers else [one, several]
    return [*order, "AutoModelForSeq2SeqLM", "AutoModel"] if model.causal else ["AutoModel", *order]


def build(config: Mapping[str, Any], dtype: str, automatic: list[str]) -> tuple[str, dict[str, Any]]:
    """In the child: the class's name, and the state that save_pretrained would write, on the meta device."""
    import torch
    import transformers
    from transformers.core_model_loading import revert_weight_conversion
    from transformers.modeling_utils import remove_tied_weights_from_state_dict

    transformers.logging.set_verbosity_error()
    if config.get("model_type") not in transformers.CONFIG_MAPPING:
        raise LookupError
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(json.dumps(dict(config)), encoding="utf-8")
        read = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
    failed: Exception | None = None
    for make in _makers(transformers, read, automatic):
        try:
            with torch.device("meta"):
                model = make(read, dtype=getattr(torch, dtype))
            break
        except ValueError as error:  # this chooser has no class for this config
            failed = failed or error
    else:
        assert failed is not None
        raise failed
    model.tie_weights()
    state = model.state_dict()
    for name in model._keys_to_ignore_on_save or ():
        state.pop(name, None)
    return type(model).__name__, revert_weight_conversion(model, remove_tied_weights_from_state_dict(state, model))


def _makers(transformers: Any, config: Any, automatic: list[str]) -> Iterator[Any]:
    for name in config.architectures or ():
        made: Any = getattr(transformers, str(name), None)
        if hasattr(made, "_from_config"):
            yield made._from_config
    for name in automatic:
        yield getattr(transformers, name).from_config


def main() -> int:
    asked = json.loads(sys.stdin.buffer.read())
    try:
        # Libraries print; the answer is the last line.
        with contextlib.redirect_stdout(sys.stderr):
            name, state = build(asked["config"], asked["dtype"], asked["automatic"])
            tensors = [(key, CODES[str(value.dtype).removeprefix("torch.")], list(value.shape)) for key, value in state.items()]
        answer: dict[str, Any] = {"class": name, "tensors": tensors}
    except LookupError:
        answer = {"failed": ""}
    except Exception as error:
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        answer = {"failed": first.partition(". ")[0].rstrip(".")[:200]}
    sys.stdout.write("\n" + json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
