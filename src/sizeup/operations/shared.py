"""Parameters that several operations take."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sizeup.errors import UserError

from .kinds import COUNT, FLAG, LAYERS, MACHINE, MODEL, NUMBER, OUTPUTS, POOL_RATE, POOL_SIZE, SETTING, SIZE, SWITCH
from .parameter import Parameter, Values

if TYPE_CHECKING:
    from sizeup.engine import Engine

MODEL_ARGUMENT = Parameter("model", MODEL, shown="MODEL", argument=True, required=True)
MODELS_ARGUMENT = replace(MODEL_ARGUMENT, many=True)
MODEL_OPTIONAL = replace(MODEL_ARGUMENT, shown="[MODEL]", required=False)
ON = Parameter("on", MACHINE, shown="MACHINE")
OVERRULED = (
    Parameter("ram", SIZE, shown="SIZE", least=1),
    Parameter("vram", SIZE, shown="SIZE", least=1),
    Parameter("bandwidth", POOL_RATE, shown="RATE", many=True),
    Parameter("in_use", POOL_SIZE, shown="SIZE", many=True),
)
"""What is known better of a machine than was found."""
MACHINE_OPTIONS = (ON, *OVERRULED)
"""Another machine, and what is known better of it, or of this one."""
QUANT = Parameter("quant", shown="MIX")
CONTEXT = Parameter("context", COUNT, shown="TOKENS")
CONTEXT_8192 = Parameter("context", COUNT, 8192, shown="TOKENS", least=1)
ENGINE = Parameter("engine", default="llama.cpp", shown="NAME")
ASSUME = Parameter("assume", shown="ARCHITECTURE")
USERS = Parameter("users", COUNT, shown="N")
PROMPT = Parameter("prompt", COUNT, shown="TOKENS", least=1)
"""The prompt whose wait is told."""
TOLD = Parameter("told", FLAG, False, typed_too=False)
"""Adds the words of the answer, for a screen that lays out by itself."""

SETTINGS = (
    Parameter("sequences", COUNT, shown="N"),
    Parameter("kv_type", shown="TYPE|K/V"),
    Parameter("gpu_layers", LAYERS, shown="N|all"),
    Parameter("cpu_moe_layers", LAYERS, shown="N|all"),
    Parameter("batch", COUNT, shown="TOKENS"),
    Parameter("ubatch", COUNT, shown="TOKENS"),
    Parameter("flash_attention", SWITCH),
    Parameter("unified", FLAG, False),
    Parameter("swa_full", FLAG, False),
    Parameter("no_repack", FLAG, False),
    Parameter("no_mmap", FLAG, False),
    Parameter("outputs", OUTPUTS, shown="server|library|N"),
    Parameter("tensor_parallel", COUNT, shown="N", least=1),
    Parameter("pipeline_parallel", COUNT, shown="N", least=1),
    Parameter("gpu_memory_utilization", NUMBER, shown="SHARE"),
    Parameter("engine_version", shown="VERSION"),
    Parameter("set", SETTING, shown="NAME=VALUE", many=True),
)
"""How the engine is to be started."""

HERE = (QUANT, CONTEXT, *SETTINGS, ENGINE, ASSUME)
"""What a plan must be like."""
PLAN = (*MACHINE_OPTIONS, *HERE)
"""The same, on a machine that may be named."""


def named(values: Values) -> bool:
    """Whether anything is said of the machine."""
    return any(values[parameter.name] not in (None, ()) for parameter in MACHINE_OPTIONS)


def settings(values: Values) -> dict[str, Any]:
    """The engine's settings that were given, by the names of `sizeup.account`; what was not given is left out."""
    given: dict[str, Any] = {
        "sequences": values["sequences"],
        "gpu_layers": values["gpu_layers"],
        "cpu_moe_layers": values["cpu_moe_layers"],
        "batch_tokens": values["batch"],
        "micro_batch_tokens": values["ubatch"],
        "flash_attention": values["flash_attention"],
        "unified_cache": values["unified"] or None,
        "swa_full": values["swa_full"] or None,
        "repack": False if values["no_repack"] else None,
        "mmap": False if values["no_mmap"] else None,
        "outputs": values["outputs"],
        "tensor_parallel": values["tensor_parallel"],
        "pipeline_parallel": values["pipeline_parallel"],
        "engine_version": values["engine_version"],
    }
    if values["gpu_memory_utilization"]:
        given["mem_fraction_static" if _has(values, "mem_fraction_static") else "gpu_memory_utilization"] = values["gpu_memory_utilization"]
    if values["kv_type"] and _has(values, "kv_cache_dtype"):
        given["kv_cache_dtype"] = values["kv_type"].lower()
    elif values["kv_type"]:
        k, _, v = values["kv_type"].lower().partition("/")
        given |= {"k": k, "v": v or k}
    found = {name: value for name, value in given.items() if value is not None}
    return {**found, **named_settings(values, found)} if values.get("set") else found


def named_settings(values: Values, given: Collection[str]) -> dict[str, Any]:
    """The settings that were named by themselves (`--set kv_bits=8`). Raises UserError for one that an option has `given` already."""
    from sizeup.settable import HELP, typed

    chosen = accounted(values)
    if (HELP, "") in values["set"]:
        raise UserError(f"“{HELP}” is not a setting and its value.", "--set help by itself, or /api/settings")
    found = typed(chosen.name, chosen.Settings, values["set"])
    for name in found:
        if name in given:
            raise UserError(f"{name} is given twice.", f"{name} once")
    return found


def accounted(values: Values) -> Engine:
    """The engine that is asked about; of a tool that runs another's, that one."""
    from sizeup.drive.hand import ACCOUNTED_BY
    from sizeup.engines import engine

    name = values.get("engine") or "llama.cpp"
    return engine(ACCOUNTED_BY.get(name, name))


def _has(values: Values, setting: str) -> bool:
    """Whether the engine that is asked about has a setting; the usual one is not looked at."""
    if (values.get("engine") or "llama.cpp") == "llama.cpp":
        return False
    import dataclasses

    return setting in {field.name for field in dataclasses.fields(accounted(values).Settings)}
