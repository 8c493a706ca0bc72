"""Python that starts transformers with these settings."""

from __future__ import annotations

from ...facts import data_json
from ...figure import plain
from ...model import ModelSpec
from .device_map import CPU, DISK, Device, Placed
from .formats import Format
from .settings import Settings

TORCH = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}
BITS: dict[str, dict[str, object]] = {
    "bnb-int8": {"load_in_8bit": True},
    "bnb-nf4": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
    "bnb-nf4-double": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True},
    "bnb-fp4": {"load_in_4bit": True},
    "bnb-fp4-double": {"load_in_4bit": True, "bnb_4bit_use_double_quant": True},
}


def loading(model: ModelSpec, format: Format, settings: Settings, where: Placed, room: tuple[int, ...] = ()) -> dict[str, object]:
    """The keywords of `from_pretrained`; what BitsAndBytesConfig is made of stands under `quantization_config`."""
    found: dict[str, object] = {"dtype": TORCH[format.float]}
    if format.linear:
        found["quantization_config"] = BITS[format.linear]
    if where.first == CPU:
        found["device_map"] = "cpu"
    else:
        found["device_map"] = {"none": 0, "fitted": "sequential"}.get(settings.device_map, settings.device_map)
    if room:
        most: dict[Device, int] = dict(enumerate(room))
        if settings.ram_free_bytes is not None:
            most[CPU] = int(settings.ram_free_bytes * data_json("transformers.json")["device_map"]["cpu_share"])
        found["max_memory"] = most
    if DISK in where.devices:
        found["offload_folder"] = "offload"
    if settings.attention != "sdpa":
        found["attn_implementation"] = settings.attention
    if model.config.get("auto_map"):
        found["trust_remote_code"] = True
    return found


def command(model: ModelSpec, format: Format, settings: Settings, where: Placed, room: tuple[int, ...] = ()) -> str:
    """A script of a few lines: run it as it stands, with a prompt of one's own."""
    names = "AutoModelForCausalLM, AutoTokenizer" + (", BitsAndBytesConfig" if format.linear else "")
    given = ", ".join(f"{name}={_written(name, value)}" for name, value in loading(model, format, settings, where, room).items())
    name = model.named
    tokens = plain(settings.context_tokens) // plain(settings.sequences)
    cache = ', cache_implementation="static"' if settings.cache == "static" else ""
    return "\n".join(
        [
            f"from transformers import {names}",
            f'name = "{name}"',
            "tokenizer = AutoTokenizer.from_pretrained(name)",
            f"model = AutoModelForCausalLM.from_pretrained(name, {given})",
            f'inputs = tokenizer(["Hello"]{f" * {plain(settings.sequences)}" if plain(settings.sequences) > 1 else ""}, return_tensors="pt").to(model.device)',
            f"print(tokenizer.batch_decode(model.generate(**inputs, max_length={tokens}{cache})))",
        ]
    )


def _written(name: str, value: object) -> str:
    """A keyword's value as Python has it."""
    if name == "quantization_config" and isinstance(value, dict):
        return f"BitsAndBytesConfig({', '.join(f'{key}={_written(key, one)}' for key, one in value.items())})"
    return f'"{value}"' if isinstance(value, str) else repr(value)
