"""Real vocabularies of several families as GGUF files without weights, from packages on PyPI that carry them; fetched once and kept.

Each package is pinned and its sum checked: Qwen's ranks in dashscope, Llama 3's and 4's in llama-models, Mistral's in mistral-common,
RWKV's in rwkv.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.small_model import folder

WHEELS = {
    "dashscope==2.0.2": "0602d1800f7433bdb7953560986eaf5146454ed3988636c0a91963ba24e74258",
    "llama-models==0.3.0": "7f77f78ff13fca09f70d76a376aff6414cd901623fb9d57e69c2f8367a73032f",
    "mistral_common==1.13.1": "98b4d0755b8d90bf4691fa8f1b70cb3b4a8cd4dc1653c4ed08ef3d1c7d2c29af",
    "rwkv==0.8.32": "d3f0594810a4a7e91569f177003ec22294c3eabc91c5f8d0ff3511702d4b67c1",
}
"""Package -> the SHA-256 of its wheel."""

NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6


def _content(package: str, inside: str) -> bytes:
    """A file of a package's wheel, kept between runs."""
    kept = folder() / "vocabularies" / inside.replace("/", "-")
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as work:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "-d", work, package]
            subprocess.run(command, check=True, stdout=sys.stderr)
            wheel = next(Path(work).glob("*.whl"))
            if hashlib.sha256(wheel.read_bytes()).hexdigest() != WHEELS[package]:
                raise ValueError(f"{package} is another file than it was")
            with zipfile.ZipFile(wheel) as archive:
                kept.write_bytes(archive.read(inside))
    return kept.read_bytes()


def _letters() -> dict[int, str]:
    """How byte-level vocabularies write each byte: as itself where it prints, else as one beyond them."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + at) for at, byte in enumerate(rest)}


def _merges(ranks: dict[bytes, int]) -> Iterator[tuple[bytes, bytes]]:
    """The two tokens that each token is merged from, in the order of merging."""
    for token, rank in sorted(ranks.items(), key=lambda row: row[1]):
        parts = [bytes([byte]) for byte in token]
        while len(parts) > 2:
            best = min(range(len(parts) - 1), key=lambda at: ranks.get(parts[at] + parts[at + 1], 1 << 40))
            if ranks.get(parts[best] + parts[best + 1], 1 << 40) >= rank:
                break
            parts[best : best + 2] = [parts[best] + parts[best + 1]]
        if len(parts) == 2:
            yield parts[0], parts[1]


def _of_ranks(path: Path, ranks: dict[bytes, int], pre: str) -> None:
    import gguf

    letters = _letters()

    def written(token: bytes) -> str:
        return "".join(letters[byte] for byte in token)

    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list([written(token) for token, _ in sorted(ranks.items(), key=lambda row: row[1])])
    writer.add_token_types([NORMAL] * len(ranks))
    writer.add_token_merges([f"{written(left)} {written(right)}" for left, right in _merges(ranks)])
    _close(writer)


def _close(writer: object) -> None:
    writer.write_header_to_file()  # type: ignore[attr-defined]
    writer.write_kv_data_to_file()  # type: ignore[attr-defined]
    writer.close()  # type: ignore[attr-defined]


def _tiktoken(content: bytes) -> dict[bytes, int]:
    return {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in content.splitlines() if line)}


def _qwen(path: Path) -> None:
    _of_ranks(path, _tiktoken(_content("dashscope==2.0.2", "dashscope/resources/qwen.tiktoken")), "qwen2")


def _llama3(path: Path) -> None:
    _of_ranks(path, _tiktoken(_content("llama-models==0.3.0", "llama_models/llama3/tokenizer.model")), "llama-bpe")


def _llama4(path: Path) -> None:
    _of_ranks(path, _tiktoken(_content("llama-models==0.3.0", "llama_models/llama4/tokenizer.model")), "llama4")


def _tekken(path: Path) -> None:
    said = json.loads(_content("mistral_common==1.13.1", "mistral_common/data/tekken_240911.json"))
    rows = said["vocab"][: said["config"]["default_vocab_size"] - said["config"]["default_num_special_tokens"]]
    _of_ranks(path, {base64.b64decode(row["token_bytes"]): row["rank"] for row in rows}, "tekken")


def _fields(content: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Fields of a protocol buffer: number and value."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = content[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(content):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            length = varint() if key & 7 == 2 else {5: 4, 1: 8}[key & 7]
            yield key >> 3, content[at : at + length]
            at += length


def _mistral(path: Path) -> None:
    """SentencePiece's own file: pieces with scores."""
    import gguf

    texts, scores, kinds = [], [], []
    for number, value in _fields(_content("mistral_common==1.13.1", "mistral_common/data/tokenizer.model.v1")):
        if number == 1:
            assert isinstance(value, bytes)
            piece = dict(_fields(value))
            texts.append(piece[1])
            scores.append(struct.unpack("<f", piece.get(2, bytes(4)))[0])  # type: ignore[arg-type]
            kinds.append(piece.get(3, NORMAL))
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_tokenizer_model("llama")
    writer.add_token_list(texts)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    _close(writer)


def _rwkv(path: Path) -> None:
    import gguf

    tokens = [b"<s>"]
    for line in _content("rwkv==0.8.32", "rwkv/rwkv_vocab_v20230424.txt").decode().splitlines():
        token = ast.literal_eval(line[line.index(" ") + 1 : line.rindex(" ")])
        raw = token.encode() if isinstance(token, str) else token
        tokens.append(repr(raw)[2:-1].encode())
    writer = gguf.GGUFWriter(str(path), "rwkv6")
    writer.add_tokenizer_model("rwkv")
    writer.add_token_list(tokens)
    writer.add_token_types([CONTROL] + [NORMAL] * (len(tokens) - 1))
    _close(writer)


MADE: dict[str, Callable[[Path], None]] = {
    "qwen2": _qwen,
    "llama-3": _llama3,
    "llama-4": _llama4,
    "tekken": _tekken,
    "mistral": _mistral,
    "rwkv": _rwkv,
}


def vocabulary(name: str) -> Path:
    """The GGUF file of a family's vocabulary. Raises CalledProcessError when pip cannot get it."""
    path = folder() / "vocabularies" / f"{name}.gguf"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        begun = path.with_suffix(".part")
        MADE[name](begun)
        begun.replace(path)
    return path
