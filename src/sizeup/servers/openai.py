"""Whatever speaks OpenAI's chat API: llama.cpp's server, Ollama, LM Studio, vLLM. Answers are streamed; timings are its own where it tells them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sizeup.errors import Unavailable

from .client import Server


class Answered(NamedTuple):
    """One answer and how long it took."""

    text: str
    prompt_tokens: int | None
    """That were read for this answer; what the server still had of an earlier one is left out where it says so."""
    new_tokens: int
    stopped: str
    """"stop", "length", "" where the server did not say."""
    first_s: float
    """From the question to the first piece of the answer, by our clock."""
    rest_s: float
    prefill_tokens_per_s: float | None
    decode_tokens_per_s: float | None
    timed_by: str
    """"server" or "clock"."""


def models(server: Server) -> list[str]:
    """Names of the models it serves. Raises Unavailable when it is no such server."""
    found = server.ask("/v1/models", seconds=10.0)
    rows = found.get("data") if isinstance(found, dict) else None
    if not isinstance(rows, list):
        raise server.not_meant("/v1/models")
    return [str(row["id"]) for row in rows if isinstance(row, dict) and "id" in row]


def chat(
    server: Server,
    model: str,
    messages: Sequence[dict[str, str]],
    on_text: Callable[[str], None] | None = None,
    seconds: float = 600.0,
    every_s: float = 0.0,
    **asked: Any,
) -> Answered:
    """One answer to a conversation, piece by piece. Raises Unavailable when the server refuses, breaks off or is no such server.

    With `every_s` text is given no oftener than that, which is less work for who reads it and blurs our clock as much. An interrupt closes the
    connection, by which servers stop to compute.
    """
    body = {"model": model, "messages": list(messages), "stream": True, "stream_options": {"include_usage": True}, **asked}
    start = time.perf_counter()
    first = last = start
    pieces: list[str] = []
    usage: dict[str, Any] = {}
    timings: dict[str, Any] = {}
    stopped, counted, ended = "", 0, False
    for lines in server.line_blocks("/v1/chat/completions", body, seconds, every_s):
        come: list[str] = []
        for line in lines:
            if not line.startswith(b"data:"):
                continue
            if line[5:].strip() == b"[DONE]":
                ended = True
                break
            piece = _json(server, line[5:])
            if isinstance(piece.get("error"), dict):
                raise Unavailable(f"{server.base} breaks off: {str(piece['error'].get('message'))[:300].rstrip('.')}.", "its log")
            usage, timings = piece.get("usage") or usage, piece.get("timings") or timings
            for choice in piece.get("choices") or ():
                delta = choice.get("delta") or {}
                # What a model thinks is decoded as well as what it answers.
                text = delta.get("content") or delta.get("reasoning_content") or delta.get("reasoning") or ""
                stopped = choice.get("finish_reason") or stopped
                if text:
                    come.append(text)
        if come:
            last = time.perf_counter()
            first = first if counted else last
            counted += len(come)
            pieces += come
            if on_text is not None:
                on_text("".join(come))
        if ended:
            break
    if not ended and not stopped:
        raise Unavailable(f"{server.base} breaks off in the middle of an answer.", "its log")
    made = int(usage.get("completion_tokens") or timings.get("predicted_n") or counted)
    read = timings.get("prompt_n", usage.get("prompt_tokens"))
    told = isinstance(timings.get("predicted_per_second"), int | float)
    return Answered(
        "".join(pieces),
        int(read) if isinstance(read, int | float) else None,
        made,
        stopped,
        first - start,
        last - first,
        _rate(timings.get("prompt_per_second")) if told else _over(read, first - start),
        _rate(timings.get("predicted_per_second")) if told else _over(made - 1, last - first),
        "server" if told else "clock",
    )


def _json(server: Server, raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise server.not_meant("/v1/chat/completions")
    return found


def _rate(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 < value < 1e9 else None


def _over(count: Any, seconds: float) -> float | None:
    """A rate by our clock: the first token ends the prompt, so it is no part of decoding."""
    return count / seconds if isinstance(count, int | float) and count > 0 and seconds > 0 else None
