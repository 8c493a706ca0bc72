"""What the process takes beside the engine's buffers: the program, its tokenizer, a driver's context. Measured facts with a band."""

from __future__ import annotations

from collections.abc import Iterator

from ...facts import data_json
from ...figure import Number, step
from ...model import ModelSpec
from ...plan import Claim
from .graph.sheet import Homes
from .settings import Settings


def process_claims(model: ModelSpec, settings: Settings, homes: Homes) -> Iterator[Claim]:
    """Parts "process" (host memory) and "overhead" (each CUDA device)."""
    facts = {row["name"]: row for row in data_json("llamacpp_process.json")["rows"]}
    library, working, token, driver = facts["library"], facts["working"], facts["token"], facts["cuda_context"]
    tokens = model.tokenizer_tokens if model.stored == "gguf" else model.vocabulary
    yield Claim("process", "ram", process_bytes(library["bytes"], working["bytes"], token["bytes"], tokens), library["within"])
    if settings.gpu_kind == "cuda":
        for device in range(homes.cpu):
            yield Claim("overhead", f"vram:{device}", driver["bytes"], driver["within"], label="cuda_context")


@step("process_bytes")
def process_bytes(library: Number, working: Number, per_token: Number, tokens: Number) -> Number:
    """The program and the engine's library, what it works with beside its buffers, and the tokenizer's tables.

    Not counted: prompts that a server keeps for reuse (up to `--cache-ram`, 8 GiB unless told otherwise).
    """
    return library + working + per_token * tokens
