"""Python that starts transformers with these settings."""

from __future__ import annotations

from ...facts import data_json
from ...figure import plain
from ...model import ModelSpec
from .device_map import CPU, DISK, Device, Placed
from .formats import Format
from .settings import Settings

TORCH = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}
BITS = {
    "bnb-int8": "load_in_8bit=True",
    "bnb-nf4": 'load_in_4bit=True, bnb_4bit_quant_type="nf4"',
    "bnb-nf4-double": 'load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True',
    "bnb-fp4": "load_in_4bit=True",
    "bnb-fp4-double": "load_in_4bit=True, bnb_4bit_use_double_quant=True",
}


def command(model: ModelSpec, format: Format, settings: Settings, where: Placed, room: tuple[int, ...] = ()) -> str:
    """A script of a few lines: run it as it stands, with a prompt of one's own."""
    names = "AutoModelForCausalLM, AutoTokenizer" + (", BitsAndBytesConfig" if format.linear else "")
    loading = [f'dtype="{TORCH[format.float]}"']
    if format.linear:
        loading.append(f"quantization_config=BitsAndBytesConfig({BITS[format.linear]})")
    if where.first == CPU:
        loading.append('device_map="cpu"')
    else:
        named = {"none": "device_map=0", "fitted": 'device_map="sequential"'}
        loading.append(named.get(settings.device_map, f'device_map="{settings.device_map}"'))
    if room:
        most: dict[Device, int] = dict(enumerate(room))
        if settings.ram_free_bytes is not None:
            most[CPU] = int(settings.ram_free_bytes * data_json("transformers.json")["device_map"]["cpu_share"])
        loading.append(f"max_memory={most!r}")
    if DISK in where.devices:
        loading.append('offload_folder="offload"')
    if settings.attention != "sdpa":
        loading.append(f'attn_implementation="{settings.attention}"')
    if model.config.get("auto_map"):
        loading.append("trust_remote_code=True")
    name = model.path or model.card.get("id") or model.name
    tokens = plain(settings.context_tokens) // plain(settings.sequences)
    cache = ', cache_implementation="static"' if settings.cache == "static" else ""
    return "\n".join(
        [
            f"from transformers import {names}",
            f'name = "{name}"',
            "tokenizer = AutoTokenizer.from_pretrained(name)",
            f"model = AutoModelForCausalLM.from_pretrained(name, {', '.join(loading)})",
            f'inputs = tokenizer(["Hello"]{f" * {plain(settings.sequences)}" if plain(settings.sequences) > 1 else ""}, return_tensors="pt").to(model.device)',
            f"print(tokenizer.batch_decode(model.generate(**inputs, max_length={tokens}{cache})))",
        ]
    )
