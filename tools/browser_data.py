"""Write what the static page of the browser needs from the package's own data: `python -m tools.browser_data`.

models.json from data/browser/*.csv, with what the catalogue's layers add; limits.json from data/; texts from i18n; colours and
letters from the main page.
"""

from __future__ import annotations

import csv
import functools
import json
import re
from collections.abc import Iterator
from typing import Any

import sizeup
from sizeup.browser.describe import F16, family, mlc_packed
from sizeup.browser.limits import FILE
from sizeup.browser.model import STATIC, Model, model_json
from sizeup.errors import SizeupError
from sizeup.facts import data_bytes, data_json
from sizeup.i18n import FOLDER, LANGUAGES
from sizeup.model import ModelSpec
from sizeup.units import parse_count

MIB = 2**20
NEAR = 0.03
"""The catalogue's model of a name is this one when its parameters are as many, within this share."""


@functools.cache
def spec_of(name: str) -> ModelSpec | None:
    """The catalogue's model of this name; None when there is none."""
    try:
        return sizeup.read(name)
    except SizeupError:
        return None


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a CSV file of the package's data."""
    return list(csv.DictReader(data_bytes(name).decode().splitlines()))


def webllm(row: dict[str, str]) -> Model:
    """A record of WebLLM's list. Its bytes, largest tensor and parameters are derived from the layers of the same model."""
    name = re.sub(r"-q\d+f\d+(_\d)?-MLC.*$", "", row["model_id"])
    spec = spec_of(name)
    packed = mlc_packed(spec, row["quant"]) if spec is not None else None
    stated = row["buffer_size_required_bytes"]
    return Model(
        id=row["model_id"],
        engine="webllm",
        name=name,
        kind="chat" if row["model_type"] == "LLM" else row["model_type"].lower().replace("vlm", "chat"),
        quant=row["quant"],
        parameters=spec.parameters if spec else None,
        active_parameters=spec.active_parameters if spec and spec.active_parameters < spec.parameters else None,
        bytes=packed.bytes if packed else None,
        precision="derived" if packed else None,
        largest_tensor_bytes=int(stated) if stated else packed.largest_tensor_bytes if packed else None,
        memory_bytes=round(float(row["vram_required_MB"]) * MIB),
        context_tokens=int(row["context_window_size"] or row["sliding_window_size"] or 0) or None,
        # The list names shader-f16 on 28 of its 76 q4f16_1 records only; every f16 build computes with it.
        features=(F16,) if "f16" in row["quant"] else (),
        source=row["source"],
        date=row["date"],
    )


def published(row: dict[str, str]) -> Model:
    """A file that somebody published, with its bytes as they were seen."""
    total, _, active = row["params"].partition(" total / ")
    parameters, fewer = parse_count(total), parse_count(active.split()[0]) if active else None
    spec = spec_of(re.sub(r"(-(GGUF|ONNX)|-q4_k_m\.gguf)$", "", row["model"].rpartition("/")[2]))
    if spec is not None and abs(spec.parameters / parameters - 1) < NEAR:
        parameters = spec.parameters
        fewer = spec.active_parameters if spec.active_parameters < spec.parameters else None
    size, parts = int(row["download_bytes"]), int(row["files"])
    several = len([other for other in rows("browser/models.csv") if (other["engine"], other["model"]) == (row["engine"], row["model"])]) > 1
    return Model(
        id=f"{row['model']}:{row['quant']}" if several or row["engine"] in ("wllama", "transformers.js") else row["model"],
        engine=row["engine"],
        name=row["model"],
        kind=row["kind"],
        quant=row["quant"],
        parameters=parameters,
        active_parameters=fewer,
        bytes=size,
        precision=row["precision"],
        largest_file_bytes=size if parts == 1 else None,
        features=(F16,) if "f16" in row["quant"] or row["quant"] == "fp16" else (),
        gated={"yes": True, "no": False}.get(row["gated"]),
        source=row["source"],
        date=row["date"],
        note=row["note"],
    )


BUILTIN = Model(
    id="gemini-nano",
    engine="builtin",
    name="Gemini Nano",
    source="developer.chrome.com/docs/ai/prompt-api: the browser chooses and keeps the model",
    date="2026-11-21",
)


def models() -> Iterator[Model]:
    """Every build, the smallest first within its engine."""
    found = [webllm(row) for row in rows("browser/webllm.csv")] + [published(row) for row in rows("browser/models.csv")]
    order = [row["id"] for row in data_json(FILE)["engines"]]
    found.sort(key=lambda model: (order.index(model.engine), model.memory_bytes or model.bytes or 0, model.id))
    yield from found
    yield BUILTIN


def texts(language: str) -> dict[str, str]:
    """The page's words of one language by their keys without the first part; feelings come from the words of speeds."""
    messages: dict[str, str] = json.loads((FOLDER / f"{language}.json").read_bytes())["messages"]
    terminal = ("browser.cli.", "browser.class.")
    own = {
        key.removeprefix("browser."): text for key, text in messages.items() if key.startswith("browser.") and not key.startswith(terminal)
    }
    return own | {key: text for key, text in messages.items() if key.startswith("feeling.")}


def files() -> dict[str, Any]:
    """Every generated file of the static folder by its path there."""
    source = data_json(FILE)
    # WebLLM's weights come in shards of about 32 MB, and a few seconds of the first tell how fast the rest would come.
    addresses = {
        row["model_id"]: {"url": f"https://huggingface.co/{row['hf_repo']}/resolve/main/params_shard_0.bin"}
        for row in rows("browser/webllm.csv")
    }
    return {
        "models.json": {
            "models": [{**model_json(model), "family": family(model.name), **addresses.get(model.id, {})} for model in models()]
        },
        "limits.json": {**source, "paces": data_json("paces.json")["steps"]},
        **{f"i18n/{language}.json": texts(language) for language in LANGUAGES},
    }


def written(content: Any) -> str:
    """A file's text: one row of a list a line, so that a change shows what changed."""
    return _lines(content) + "\n"


def _lines(content: Any, depth: int = 0) -> str:
    """JSON with the members of the outer two levels on lines of their own."""
    if depth < 2 and isinstance(content, dict) and content:
        inner = ",\n".join(f"{json.dumps(key, ensure_ascii=False)}: {_lines(value, depth + 1)}" for key, value in content.items())
        return "{\n" + inner + "\n}"
    if depth < 2 and isinstance(content, list) and content:
        return "[\n" + ",\n".join(_lines(value, 2) for value in content) + "\n]"
    return json.dumps(content, ensure_ascii=False)


SHARED = ("tokens.css", "theme.js")
"""Files of the main page that this one has copies of, so that its folder can be served alone."""


def copies() -> dict[str, str]:
    """The shared files as they stand beside the folder."""
    return {name: (STATIC.parent / name).read_text(encoding="utf-8") for name in SHARED}


def main() -> None:
    """Write every file."""
    for name, text in copies().items():
        (STATIC / name).write_text(text, encoding="utf-8")
    for name, content in files().items():
        path = STATIC / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written(content), encoding="utf-8")


if __name__ == "__main__":
    main()
