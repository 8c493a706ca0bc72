"""The GGUF reader: equal to the gguf package on sound files, one sentence on every other, cheap on any."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGUFReader, GGUFValueType, GGUFWriter
from gguf.constants import GGML_QUANT_SIZES
from hypothesis import given, settings
from hypothesis import strategies as st

from sizeup.errors import NotFound, SizeupError, Unreadable
from sizeup.readers.gguf import ArraySummary, read_header, read_headers
from tests.broken import ARCH, BROKEN, entry, file, tensor, text
from tests.ghosts import unpack

NAMES = st.text("abcdefghij._0123456789", min_size=1, max_size=40)
SCALARS = st.one_of(
    st.integers(0, 2**32 - 1).map(lambda n: (n, GGUFValueType.UINT32)),
    st.integers(-(2**63), 2**63 - 1).map(lambda n: (n, GGUFValueType.INT64)),
    st.booleans().map(lambda b: (b, GGUFValueType.BOOL)),
    st.floats(allow_nan=False, width=32).map(lambda x: (x, GGUFValueType.FLOAT32)),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300).map(lambda text: (text, GGUFValueType.STRING)),
)
ARRAYS = st.one_of(
    st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=80),
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), min_size=1, max_size=150),
)
KINDS = [kind for kind, (block, _) in GGML_QUANT_SIZES.items() if 256 % block == 0 and kind.name != "Q8_1"]
"""Without Q8_1, whose block has 36 bytes in ggml and 40 in the package; no file stores it."""
TENSORS = st.lists(st.tuples(st.sampled_from(KINDS), st.lists(st.integers(1, 5), max_size=3)), max_size=12)


def said(value: Any) -> Any:
    """A value as the reader keeps it: long lists of texts only as how many, and how many bytes."""
    if isinstance(value, list) and len(value) > 64 and isinstance(value[0], str):
        return ArraySummary(len(value), sum(8 + len(text.encode()) for text in value))
    return value


@settings(max_examples=60)
@given(scalars=st.dictionaries(NAMES, SCALARS, max_size=8), arrays=st.dictionaries(NAMES, ARRAYS, max_size=4), tensors=TENSORS)
def test_equal_to_the_gguf_package(
    tmp_path_factory: pytest.TempPathFactory, scalars: dict[str, Any], arrays: dict[str, Any], tensors: list[Any]
) -> None:
    """Law: what the package writes is read: every value, every tensor's name, shape, type and place."""
    path = tmp_path_factory.mktemp("law") / "model.gguf"
    writer = GGUFWriter(path, "llama")
    for key, (value, kind) in scalars.items():
        writer.add_key_value(f"s.{key}", value, kind)
    for key, values in arrays.items():
        writer.add_array(f"a.{key}", values)
    for number, (kind, sides) in enumerate(tensors):
        block, bytes = GGML_QUANT_SIZES[kind]
        rows = np.zeros((*sides, 256 // block * bytes), np.uint8)
        writer.add_tensor(f"t{number}", rows, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    header = read_header(path)
    assert {key: header.metadata[f"s.{key}"] for key in scalars} == {key: value for key, (value, _) in scalars.items()}
    assert {key: header.metadata[f"a.{key}"] for key in arrays} == {key: said(values) for key, values in arrays.items()}
    theirs = GGUFReader(path)
    assert [(t.name, t.shape, t.type, t.bytes, header.data_start + (t.offset or 0)) for t in header.tensors] == [
        (t.name, tuple(map(int, t.shape)), t.tensor_type.name, t.n_bytes, t.data_offset) for t in theirs.tensors
    ]


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_sentence(name: str, tmp_path: Path) -> None:
    """Each says what is wrong in one sentence, with a way out and exit code 4."""
    content, words = BROKEN[name]
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(Unreadable) as caught:
        read_header(path)
    assert words in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 4


@settings(max_examples=150)
@given(cut=st.integers(0, 1 << 16), places=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=4))
def test_a_damaged_file_is_never_a_traceback(tmp_path_factory: pytest.TempPathFactory, cut: int, places: list[tuple[int, int]]) -> None:
    """Law: a real header with bytes flipped and its end cut off is read, or refused in words."""
    whole = bytearray(unpack("SmolLM2-135M-Q8_0", tmp_path_factory.mktemp("whole")).read_bytes()[: 1 << 16])
    for place, value in places:
        whole[place] = value
    path = tmp_path_factory.mktemp("damaged") / "model.gguf"
    path.write_bytes(bytes(whole[:cut]))
    with pytest.raises(SizeupError):
        read_header(path)


def part(number: int, count: int, names: list[str], **changes: int) -> bytes:
    said = {"split.no": number, "split.count": count, "split.tensors.count": 2, **changes}
    keys = [ARCH] * (number == 0) + [entry(key, 2, struct.pack("<H", value)) for key, value in said.items()]
    return file(keys, [tensor(name, (64,)) for name in names], 256)


def save_parts(folder: Path, *parts: bytes) -> Path:
    for number, content in enumerate(parts, 1):
        (folder / f"m-{number:05}-of-{len(parts):05}.gguf").write_bytes(content)
    return folder / f"m-00001-of-{len(parts):05}.gguf"


def test_split_files_are_one_model(tmp_path: Path) -> None:
    """Any part leads to all of them, in order."""
    first = save_parts(tmp_path, part(0, 2, ["a"]), part(1, 2, ["b"]))
    second = tmp_path / "m-00002-of-00002.gguf"
    for path in (first, second):
        assert [[t.name for t in header.tensors] for header in read_headers(path)] == [["a"], ["b"]]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([part(0, 2, ["a"]), part(0, 2, ["b"])], "says it is part 0 of 2"),
        ([part(0, 3, ["a"]), part(1, 3, ["b"])], "says 2 parts in its name and 3 inside"),
        ([part(0, 2, ["a"]), part(1, 2, ["a"])], "hold the same tensor"),
        ([part(0, 2, ["a"]), part(1, 2, [])], "in the 2 parts: 1, not 2 as the first says"),
        ([part(0, 2, ["a"]), b"GGUF"], "ends inside its header"),
    ],
)
def test_parts_that_do_not_belong_together(parts: list[bytes], words: str, tmp_path: Path) -> None:
    """A repeated, foreign, doubled or broken part is named."""
    with pytest.raises(Unreadable) as caught:
        read_headers(save_parts(tmp_path, *parts))
    assert words in caught.value.message


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    """The part that is not there is what the sentence says."""
    save_parts(tmp_path, part(0, 2, ["a"]), part(1, 2, ["b"]))
    (tmp_path / "m-00002-of-00002.gguf").unlink()
    with pytest.raises(NotFound, match=r"Part 2 of 2 is missing: m-00002-of-00002\.gguf"):
        read_headers(tmp_path / "m-00001-of-00002.gguf")


def peak_bytes(code: str, path: Path) -> int:
    """The most memory that a process held which ran this code on `path`. Linux only: the kernel's own mark, reset by exec."""
    told = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    whole = f"import sys\nfrom sizeup.errors import Unreadable\nfrom sizeup.readers.gguf import read_header\n{code}\n{told}"
    found = subprocess.run([sys.executable, "-c", whole, str(path)], capture_output=True, text=True, check=True)
    return int(found.stdout) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_40_gb_file_costs_what_its_header_costs(tmp_path: Path) -> None:
    """Llama 3.3 70B (42.5 GB, sparse): the whole process that reads it stays below 50 MB."""
    path = unpack("Llama-3.3-70B-Q4_K_M", tmp_path)
    assert path.stat().st_size > 40 * 10**9
    assert peak_bytes("assert len(read_header(sys.argv[1]).tensors) == 724", path) < 50 * 10**6


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_hostile_claims_cost_nothing(tmp_path: Path) -> None:
    """A file of a few hundred bytes that claims 4 million tokens is refused below 50 MB."""
    path = tmp_path / "model.gguf"
    path.write_bytes(file([ARCH, text("k") + struct.pack("<IIQ", 9, 8, 4_000_000) + bytes(64)]))
    assert peak_bytes("try: read_header(sys.argv[1])\nexcept Unreadable: pass\nelse: sys.exit(1)", path) < 50 * 10**6


@pytest.mark.parametrize(("start", "shown"), [(b"hello", "hell"), (b"PK\x03\x04", "50 4b 03 04"), (b"\xff\xfe\x00\x00", "ff fe 00 00")])
def test_a_wrong_beginning_is_told_as_people_read_it(tmp_path: Path, start: bytes, shown: str) -> None:
    """Letters as letters, other bytes in hexadecimal: no program's spelling of them."""
    path = tmp_path / "model.gguf"
    path.write_bytes(start + bytes(100))
    with pytest.raises(Unreadable) as caught:
        read_header(path)
    assert caught.value.message == f"{path} is not a sound GGUF file: it begins with “{shown}”, not with GGUF."
