"""One prompt, answered by an open context in the child: what is read, what is sampled, and how long each took."""

from __future__ import annotations

import array
import ctypes
import time
from typing import Any

from .library import ChatMessage, Library
from .pieces import Pieces

LONGEST_PIECE = 512


class Answer:
    """The prompt of a job and what follows it."""

    def __init__(self, lib: Library, context: int, model: int, job: dict[str, Any]) -> None:
        self.lib, self.context, self.job = lib, context, job
        self.vocab = lib.llama_model_get_vocab(model)
        self._template: bytes | None = lib.llama_model_chat_template(model, None)
        self._piece = ctypes.create_string_buffer(LONGEST_PIECE)

    def read(self) -> dict[str, Any]:
        """Read the prompt, sample the first token. Raises RuntimeError for a prompt that is none or has no room."""
        self._tokens = self._prompt_tokens()
        self._room = self.lib.llama_n_ctx(self.context) // self.job["settings"]["sequences"] - len(self._tokens)
        if self._room < 1:
            raise RuntimeError(f"the prompt has {len(self._tokens)} tokens, more than the context holds")
        self._sampler, batch = self._chain(), self.job["settings"]["batch_tokens"]
        start = time.perf_counter()
        for at in range(0, len(self._tokens), batch):
            self._decode(self._tokens[at : at + batch])
        self._next = self.lib.llama_sampler_sample(self._sampler, self.context, -1)
        return {"prompt_tokens": len(self._tokens), "prefill_tokens_per_s": len(self._tokens) / (time.perf_counter() - start)}

    def go_on(self, pieces: Pieces) -> dict[str, Any]:
        """Decode until the model ends or the job's most tokens; seconds in all, and of these inside the engine."""
        lib, most, made, stopped, engine_s, given = (
            self.lib,
            min(self.job["max_tokens"], self._room),
            0,
            "length",
            0.0,
            array.array("i", [0]),
        )
        start = now = time.perf_counter()
        while made < most:
            if lib.llama_vocab_is_eog(self.vocab, self._next):
                stopped = "end"
                break
            pieces.add(self._next, now, self._text)
            given[0] = self._next
            begun = time.perf_counter()
            self._decode(given)
            self._next = lib.llama_sampler_sample(self._sampler, self.context, -1)
            now = time.perf_counter()
            engine_s += now - begun
            made += 1
        pieces.end(self._text)
        decode_s = time.perf_counter() - start
        return {
            "new_tokens": made,
            "stopped": stopped,
            "decode_tokens_per_s": made / decode_s if made else None,
            "decode_s": decode_s,
            "engine_decode_s": engine_s,
        }

    def _text(self, token: int) -> bytes:
        length = self.lib.llama_token_to_piece(self.vocab, token, self._piece, LONGEST_PIECE, 0, False)
        return ctypes.string_at(self._piece, max(length, 0))

    def _decode(self, tokens: array.array[int]) -> None:
        address, count = tokens.buffer_info()
        code = self.lib.llama_decode(self.context, self.lib.llama_batch_get_one(address, count))
        if code:
            raise RuntimeError("the context is full" if code == 1 else f"the engine could not decode (code {code})")

    def _prompt_tokens(self) -> array.array[int]:
        raw = self._templated(self.job["prompt"]).encode()
        tokens = array.array("i", [0] * (len(raw) + 8))
        add_special = self.job["raw"] or not self._template
        count = self.lib.llama_tokenize(self.vocab, raw, len(raw), tokens.buffer_info()[0], len(tokens), add_special, True)
        if count <= 0:
            raise RuntimeError("the prompt is empty or could not be tokenised")
        return tokens[:count]

    def _templated(self, prompt: str) -> str:
        if self.job["raw"] or not self._template:
            return prompt
        message = ChatMessage(b"user", prompt.encode())
        out = ctypes.create_string_buffer(4 * len(prompt.encode()) + 4096)
        length = self.lib.llama_chat_apply_template(self._template, ctypes.addressof(message), 1, True, out, len(out))
        # A negative length means that the engine does not know this template: the bare prompt still works.
        return out.raw[:length].decode("utf-8", "replace") if 0 < length <= len(out) else prompt

    def _chain(self) -> int:
        lib = self.lib
        chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        temperature = self.job["temperature"]
        if temperature > 0:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_temp(temperature))
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_dist(self.job["seed"]))
        else:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_greedy())
        return int(chain)
