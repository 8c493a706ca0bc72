"""The embedded llama.cpp: the C API that the xllamacpp wheel exports, through ctypes. Used in child processes only.

The wheel promises no struct layout, so this file pins the versions it knows and checks every layout at start against
the engine's own default values. Where they differ it refuses: a wrong number must be impossible.
Layouts: include/llama.h of llama.cpp b11549.
"""

from __future__ import annotations

import ctypes as c
import glob
import importlib.util
import os
import sys
from typing import Any

from ...errors import Unavailable

KNOWN_VERSIONS = ("2026.10.11549",)
"""Releases of xllamacpp whose layouts were checked."""

LOAD_MODES = {False: 0, True: 1}
"""llama_load_mode: read into memory, or map the file."""


class ModelParams(c.Structure):
    """struct llama_model_params"""

    _fields_ = [
        ("devices", c.c_void_p),
        ("tensor_buft_overrides", c.c_void_p),
        ("n_gpu_layers", c.c_int32),
        ("split_mode", c.c_int),
        ("load_mode", c.c_int),
        ("lazy_mode", c.c_int),
        ("main_gpu", c.c_int32),
        ("tensor_split", c.c_void_p),
        ("progress_callback", c.c_void_p),
        ("progress_callback_user_data", c.c_void_p),
        ("kv_overrides", c.c_void_p),
        ("vocab_only", c.c_bool),
        ("check_tensors", c.c_bool),
        ("use_extra_bufts", c.c_bool),
        ("no_host", c.c_bool),
        ("no_alloc", c.c_bool),
        ("load_mtp", c.c_bool),
    ]


class ContextParams(c.Structure):
    """struct llama_context_params"""

    _fields_ = [
        *[
            (name, c.c_uint32)
            for name in ("n_ctx", "n_batch", "n_ubatch", "n_seq_max", "n_rs_seq", "n_outputs_max", "n_outputs_max_per_seq")
        ],
        ("n_threads", c.c_int32),
        ("n_threads_batch", c.c_int32),
        *[(name, c.c_int) for name in ("ctx_type", "rope_scaling_type", "pooling_type", "attention_type", "flash_attn_type")],
        *[
            (name, c.c_float)
            for name in ("rope_freq_base", "rope_freq_scale", "yarn_ext_factor", "yarn_attn_factor", "yarn_beta_fast", "yarn_beta_slow")
        ],
        ("yarn_orig_ctx", c.c_uint32),
        ("defrag_thold", c.c_float),
        ("cb_eval", c.c_void_p),
        ("cb_eval_user_data", c.c_void_p),
        ("type_k", c.c_int),
        ("type_v", c.c_int),
        ("moe_cache_size", c.c_size_t),
        ("abort_callback", c.c_void_p),
        ("abort_callback_data", c.c_void_p),
        *[(name, c.c_bool) for name in ("embeddings", "offload_kqv", "no_perf", "op_offload", "swa_full", "kv_unified")],
        ("samplers", c.c_void_p),
        ("n_samplers", c.c_size_t),
        ("ctx_other", c.c_void_p),
    ]


class Batch(c.Structure):
    """struct llama_batch"""

    _fields_ = [("n_tokens", c.c_int32), *[(n, c.c_void_p) for n in ("token", "embd", "pos", "n_seq_id", "seq_id", "logits")]]


class ChatMessage(c.Structure):
    """struct llama_chat_message"""

    _fields_ = [("role", c.c_char_p), ("content", c.c_char_p)]


class SamplerChainParams(c.Structure):
    """struct llama_sampler_chain_params"""

    _fields_ = [("no_perf", c.c_bool)]


_MODEL_DEFAULTS: dict[str, Any] = {field[0]: None for field in ModelParams._fields_ if field[1] is c.c_void_p} | {
    "n_gpu_layers": -1,
    "split_mode": 1,
    "load_mode": -1,
    "lazy_mode": 1,
    "main_gpu": 0,
    "vocab_only": False,
    "check_tensors": False,
    "use_extra_bufts": True,
    "no_host": False,
    "no_alloc": False,
    "load_mtp": False,
}
_CONTEXT_DEFAULTS: dict[str, Any] = (
    {field[0]: None for field in ContextParams._fields_ if field[1] is c.c_void_p}
    | {"n_ctx": 512, "n_batch": 2048, "n_ubatch": 512, "n_seq_max": 1, "n_rs_seq": 0, "n_outputs_max": 0, "n_outputs_max_per_seq": 1}
    | {"n_threads": 4, "n_threads_batch": 4, "ctx_type": 0}
    | dict.fromkeys(("rope_scaling_type", "pooling_type", "attention_type", "flash_attn_type"), -1)
    | {"rope_freq_base": 0.0, "rope_freq_scale": 0.0, "yarn_orig_ctx": 0}
    | dict.fromkeys(("yarn_ext_factor", "yarn_attn_factor", "yarn_beta_fast", "yarn_beta_slow", "defrag_thold"), -1.0)
    | {"type_k": 1, "type_v": 1, "moe_cache_size": 0, "n_samplers": 0, "embeddings": False, "kv_unified": False}
    | dict.fromkeys(("offload_kqv", "no_perf", "op_offload", "swa_full"), True)
)
"""What the engine itself sets in every field: any shift of the layout shows."""

_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "llama_model_default_params": (ModelParams, ()),
    "llama_context_default_params": (ContextParams, ()),
    "llama_model_load_from_file": (c.c_void_p, (c.c_char_p, ModelParams)),
    "llama_model_load_from_splits": (c.c_void_p, (c.POINTER(c.c_char_p), c.c_size_t, ModelParams)),
    "llama_init_from_model": (c.c_void_p, (c.c_void_p, ContextParams)),
    "llama_free": (None, (c.c_void_p,)),
    "llama_model_free": (None, (c.c_void_p,)),
    "llama_log_set": (None, (c.c_void_p, c.c_void_p)),
    "llama_backend_init": (None, ()),
    "llama_n_ctx": (c.c_uint32, (c.c_void_p,)),
    "llama_model_get_vocab": (c.c_void_p, (c.c_void_p,)),
    "llama_model_chat_template": (c.c_char_p, (c.c_void_p, c.c_char_p)),
    "llama_chat_apply_template": (c.c_int32, (c.c_char_p, c.c_void_p, c.c_size_t, c.c_bool, c.c_char_p, c.c_int32)),
    "llama_tokenize": (c.c_int32, (c.c_void_p, c.c_char_p, c.c_int32, c.c_void_p, c.c_int32, c.c_bool, c.c_bool)),
    "llama_token_to_piece": (c.c_int32, (c.c_void_p, c.c_int32, c.c_char_p, c.c_int32, c.c_int32, c.c_bool)),
    "llama_vocab_is_eog": (c.c_bool, (c.c_void_p, c.c_int32)),
    "llama_vocab_n_tokens": (c.c_int32, (c.c_void_p,)),
    "llama_batch_get_one": (Batch, (c.c_void_p, c.c_int32)),
    "llama_get_memory": (c.c_void_p, (c.c_void_p,)),
    "llama_memory_clear": (None, (c.c_void_p, c.c_bool)),
    "llama_memory_seq_rm": (c.c_bool, (c.c_void_p, c.c_int32, c.c_int32, c.c_int32)),
    "llama_memory_seq_cp": (None, (c.c_void_p, c.c_int32, c.c_int32, c.c_int32, c.c_int32)),
    "llama_memory_seq_pos_min": (c.c_int32, (c.c_void_p, c.c_int32)),
    "llama_memory_seq_pos_max": (c.c_int32, (c.c_void_p, c.c_int32)),
    "llama_synchronize": (None, (c.c_void_p,)),
    "llama_decode": (c.c_int32, (c.c_void_p, Batch)),
    "llama_sampler_chain_default_params": (SamplerChainParams, ()),
    "llama_sampler_chain_init": (c.c_void_p, (SamplerChainParams,)),
    "llama_sampler_chain_add": (None, (c.c_void_p, c.c_void_p)),
    "llama_sampler_init_greedy": (c.c_void_p, ()),
    "llama_sampler_init_temp": (c.c_void_p, (c.c_float,)),
    "llama_sampler_init_dist": (c.c_void_p, (c.c_uint32,)),
    "llama_sampler_sample": (c.c_int32, (c.c_void_p, c.c_void_p, c.c_int32)),
    "ggml_backend_buft_name": (c.c_char_p, (c.c_void_p,)),
}

_BREAKDOWN = "_Z26llama_get_memory_breakdownPK13llama_context"
"""llama_get_memory_breakdown(const llama_context *): a C++ function that returns a std::map."""


class _Map(c.Structure):
    """libstdc++'s std::map: six words, the third of which points to the root of its tree."""

    _fields_ = [("words", c.c_uint64 * 6)]


class Library:
    """The engine with typed functions. Holds its own log lines, because the engine reports buffers only there."""

    def __init__(self) -> None:
        self.version = installed_version()
        self._dll = c.CDLL(_shared_object(), mode=os.RTLD_GLOBAL | os.RTLD_NOW)
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(self._dll, name, None)
            if function is None:
                raise Unavailable(
                    f"The embedded engine (xllamacpp {self.version}) has no function {name}.",
                    f"pip install xllamacpp=={KNOWN_VERSIONS[-1]}",
                )
            function.restype, function.argtypes = result, list(arguments)
        self.log: list[str] = []
        callback_type = c.CFUNCTYPE(None, c.c_int, c.c_char_p, c.c_void_p)
        self._callback = callback_type(lambda level, text, data: self.log.append(text.decode("utf-8", "replace")))
        self._dll.llama_log_set(c.cast(self._callback, c.c_void_p), None)
        self._dll.llama_backend_init()
        self._check_layouts()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dll, name)

    def _check_layouts(self) -> None:
        for params, expected in (
            (self.llama_model_default_params(), _MODEL_DEFAULTS),
            (self.llama_context_default_params(), _CONTEXT_DEFAULTS),
        ):
            for field, value in expected.items():
                if getattr(params, field) != value:
                    raise Unavailable(
                        f"The embedded engine (xllamacpp {self.version}) has another struct layout than sizeup knows: "
                        f"{type(params).__name__}.{field} reads {getattr(params, field)!r}, not {value!r}.",
                        f"pip install xllamacpp=={KNOWN_VERSIONS[-1]}",
                    )

    def buffers(self, context: int) -> dict[str, tuple[int, int, int]] | None:
        """Exact bytes per buffer type: (model, context, compute). None where this build does not export the function, or was
        linked to another C++ library than Linux has."""
        function = getattr(self._dll, _BREAKDOWN, None)
        if function is None or sys.platform != "linux":
            return None
        function.restype, function.argtypes = _Map, [c.c_void_p]
        found: dict[str, tuple[int, int, int]] = {}
        self._walk(function(context).words[2], found)
        return found

    def _walk(self, node: int, found: dict[str, tuple[int, int, int]]) -> None:
        """In-order walk of libstdc++'s red-black tree: left at 16, right at 24, the key at 32, three sizes behind it."""
        if not node:
            return
        self._walk(_word(node + 16), found)
        name = self.ggml_backend_buft_name(_word(node + 32)).decode()
        before = found.get(name, (0, 0, 0))
        found[name] = (before[0] + _word(node + 40), before[1] + _word(node + 48), before[2] + _word(node + 56))
        self._walk(_word(node + 24), found)


def _word(address: int) -> int:
    return c.c_uint64.from_address(address).value


def installed_version() -> str:
    """The installed xllamacpp; raises Unavailable when it is missing or not one whose layouts are known."""
    version = _version()
    if version is None:
        raise Unavailable("The embedded engine is not installed.", 'pip install ".[run]" in the folder of sizeup')
    if version not in KNOWN_VERSIONS:
        raise Unavailable(
            f"The embedded engine is xllamacpp {version}, which sizeup has not checked.", f"pip install xllamacpp=={KNOWN_VERSIONS[-1]}"
        )
    return version


def _version() -> str | None:
    """As the folder of the wheel's metadata is named: importlib.metadata reads the same with 6 MB of parsers of mail and archives."""
    spec = importlib.util.find_spec("xllamacpp")
    if spec is None or spec.origin is None:
        return None
    packages = os.path.dirname(os.path.dirname(spec.origin))
    found = glob.glob("xllamacpp-*.dist-info", root_dir=packages)
    if len(found) == 1:
        return found[0].removeprefix("xllamacpp-").removesuffix(".dist-info")
    from importlib import metadata

    try:
        return metadata.version("xllamacpp")
    except metadata.PackageNotFoundError:
        return None


def _shared_object() -> str:
    spec = importlib.util.find_spec("xllamacpp")
    assert spec is not None
    assert spec.origin is not None
    found = glob.glob(os.path.join(os.path.dirname(spec.origin), "xllamacpp*.so"))
    if not found:
        raise Unavailable(
            "This build of the embedded engine exports no C API (only Linux and macOS wheels do).", "sizeup fit MODEL for the prediction"
        )
    return found[0]
