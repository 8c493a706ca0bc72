"""Safetensors headers: what is stored; a broken one is a sentence, quickly and in little memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sizeup.errors import Unreadable
from sizeup.model import Tensor
from sizeup.readers.safetensors import DTYPES, Header, read_header
from tests.checkpoints import BITS, GOOD, llama, measured, save, table


def test_tensors_and_metadata_are_read(tmp_path: Path) -> None:
    """Names, types, offsets and the metadata are as written; shapes turn round; a scalar is a row of one."""
    tensors = {"a": ("BF16", (4, 8)), "scalar": ("F32", ()), "none": ("F16", (0, 3)), 'é"': ("F4", (3, 6)), "codes": ("U8", (2, 2, 5))}
    path = save(tmp_path / "m.safetensors", table(tensors, {"format": "pt", "é": '{"}'}))
    header = read_header(path)
    assert header.metadata == {"format": "pt", "é": '{"}'}
    assert set(header.tensors) == {
        Tensor("a", (8, 4), "BF16", 0),
        Tensor("scalar", (1,), "F32", 64),
        Tensor("none", (3, 0), "F16", 68),
        Tensor('é"', (6, 3), "F4", 68),
        Tensor("codes", (5, 2, 2), "U8", 77),
    }
    assert (header.data_start + 97, header.warnings) == (path.stat().st_size, ())


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=20).filter(lambda name: name != "__metadata__"),
        st.tuples(st.sampled_from(sorted(BITS)), st.lists(st.integers(0, 9).map(lambda n: 2 * n), max_size=5).map(tuple)),
        max_size=8,
    ).map(lambda found: {n: (d, s or ((2,) if d == "F4" else s)) for n, (d, s) in found.items()}),
    st.one_of(st.none(), st.dictionaries(st.text(), st.text(), max_size=4)),
    st.integers(0, 3),
)
@settings(max_examples=150)
def test_what_is_written_is_read_back(tmp_path_factory, tensors, metadata, indent) -> None:
    """Any list of tensors and any metadata come back as they went in, however the JSON is spaced."""
    header = table(tensors, metadata)
    data = max((entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"), default=0)
    raw = json.dumps(header, indent=indent or None, ensure_ascii=indent == 1).encode(errors="surrogatepass")
    path = save(tmp_path_factory.mktemp("st") / "m.safetensors", raw + b" " * indent, data)
    found = read_header(path)
    assert found.metadata == (metadata or {})
    assert {t.name: (t.type, t.shape) for t in found.tensors} == {n: (d, tuple(reversed(s)) or (1,)) for n, (d, s) in tensors.items()}
    assert sum(t.bytes for t in found.tensors) == data


def test_every_type_of_the_format_has_bytes() -> None:
    """Each number type of the format is a fact with a size."""
    assert {name for name in DTYPES if Tensor("t", (64,), name).bytes < 1} == set()


def spoiled(**change: object) -> dict[str, object]:
    """The good header with some fields of the tensor `a` changed; None takes a field out."""
    entry = {**GOOD["a"], **change}
    return {**GOOD, "a": {key: value for key, value in entry.items() if value is not None}}


HOSTILE = {
    "not JSON": (b"hello world, I am no header", "no {"),
    "a list": (b"[1, 2, 3]", "no {"),
    "cut JSON": (b'{"a": {"dtype": "F32", ', "no “name”"),
    "nothing in it but spaces": (b" " * 5000, "no {"),
    "no text": (b"\xff\xfe{}\x00", "no {"),
    "two objects": (b"{}{}", "follows its end"),
    "a key twice": (b'{"a":' + json.dumps(GOOD["b"]).encode() + b',"a":' + json.dumps(GOOD["b"]).encode() + b"}", "'a' stands twice"),
    "a field twice": (b'{"b":{"dtype":"F32","dtype":"F32","shape":[3],"data_offsets":[0,12]}}', "twice"),
    "NaN": (b'{"b":{"dtype":"F32","shape":[NaN],"data_offsets":[0,12]}}', "NaN"),
    "Infinity": (b'{"b":{"dtype":"F32","shape":[1],"data_offsets":[0,-Infinity]}}', "-Infinity"),
    "deep": (b'{"b":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "no “name”"),
    "deep inside": (b'{"b":{"shape":' + b"[" * 900 + b"]" * 900 + b"}}", ""),
    "deep objects": (b'{"a":' * 50_000, "no “name”"),
    "a number of 5,000 digits": (b'{"b":{"shape":[' + b"9" * 1900 + b'],"dtype":"F32","data_offsets":[0,1]}}', "shape"),
    "tensor no object": (b'{"a": 7}', "no tensor"),
    "metadata no texts": (b'{"__metadata__": {"a": 1}}', "no pair of texts"),
    "a long name": (b'{"' + b"n" * 5000 + b'":{}}', "no tensor"),
    "a text without end": (b'{"' + b"n" * 1_000_000, "no “name”"),
    "negative side": (spoiled(shape=[-4, -8]), "shape"),
    "absurd side": (spoiled(shape=[1 << 62, 8]), "shape"),
    "a fraction": (spoiled(shape=[4.0, 8]), "shape"),
    "a truth value": (spoiled(shape=[True, 32]), "shape"),
    "a shape that is a text": (spoiled(shape="4x8"), "no shape"),
    "a thousand axes": (spoiled(shape=[1] * 100), "no shape"),
    "no type": (spoiled(dtype=None), "type"),
    "unknown type": (spoiled(dtype="Q4_K"), "'Q4_K'"),
    "no offsets": (spoiled(data_offsets=None), "data_offsets"),
    "offsets turned round": (spoiled(data_offsets=[64, 0]), "needs 64 bytes and has -64"),
    "negative offset": (spoiled(data_offsets=[-64, 0]), "data_offsets"),
    "three offsets": (spoiled(data_offsets=[0, 32, 64]), "data_offsets"),
    "wrong size": (spoiled(data_offsets=[0, 60]), "needs 64 bytes and has 60"),
    "outside": (spoiled(data_offsets=[1 << 61, (1 << 61) + 64]), "ends in the middle"),
    "overlapping": (spoiled(data_offsets=[8, 72]), "overlap"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_header_is_one_sentence(name: str, tmp_path: Path) -> None:
    """A header that cannot be is refused in a sentence that names the file and the fault."""
    header, words = HOSTILE[name]
    path = save(tmp_path / "m.safetensors", header, 76)
    found, peak = measured(path)
    assert isinstance(found, Unreadable), found
    assert words in found.message
    assert str(path) in found.message
    assert "\n" not in found.message
    assert len(found.message) < 600
    assert found.hint
    assert peak < 20 << 20


@pytest.mark.parametrize("length", [0, 1, 99_999_999, 100_000_001, 1 << 62, (1 << 64) - 1])
def test_a_header_length_beyond_the_file_or_the_format(length: int, tmp_path: Path) -> None:
    """A claimed length is compared with the file before anything is read."""
    path = tmp_path / "m.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + b'{"a":1}')
    found, peak = measured(path)
    assert isinstance(found, Unreadable)
    assert peak < 1 << 20


@pytest.mark.parametrize(
    "unit",
    [
        b'"%d":{"dtype":"F32","shape":[],"data_offsets":[0,4]},',
        b'"%d":1,',
        b'"%d":"",',
        b"[],",
        b'{"":',
        b'"%d' + b"x" * 900 + b'":{},',
        b" ",
    ],
)
def test_a_header_of_the_largest_size_stays_in_bounds(unit: bytes, tmp_path: Path) -> None:
    """Forty million bytes of entries, whatever they are, are refused below 100 MB of memory."""
    start = b'{"__metadata__":{' if unit == b'"%d":"",' else b"{"
    times = 40_000_000 // (len(unit) + 4)
    raw = start + (b"".join(unit % n for n in range(times)) if b"%d" in unit else unit * times)
    path = save(tmp_path / "m.safetensors", raw, 0)
    del raw
    found, peak = measured(path)
    assert isinstance(found, Unreadable)
    assert peak < 100_000_000


def test_a_truncated_file_says_where(tmp_path: Path) -> None:
    """A download that stopped names the tensor it stopped in and both sizes."""
    path = save(tmp_path / "m.safetensors", GOOD, 70)
    with pytest.raises(Unreadable, match=r"ends in the middle of tensor 2 of 2: \d+ B of \d+ B are here\.") as caught:
        read_header(path)
    assert caught.value.hint == "download the rest, or the file again"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(Unreadable, match="ends inside its header"):
        read_header(path)


def test_holes_and_a_tail_are_told(tmp_path: Path) -> None:
    """Bytes that no tensor uses harm nothing and are said."""
    header = {**GOOD, "b": {**GOOD["b"], "data_offsets": [68, 80]}}
    assert [w.split(" has ")[1] for w in read_header(save(tmp_path / "m.safetensors", header, 90)).warnings] == [
        "4 B between its tensors that no tensor uses",
        "10 B after its last tensor",
    ]


@given(st.data())
@settings(max_examples=300)
def test_any_damage_is_a_header_or_a_sentence(tmp_path_factory, data) -> None:
    """Bytes changed or cut anywhere give a header or Unreadable, nothing else."""
    good = save(tmp_path_factory.mktemp("fuzz") / "m.safetensors", table(llama(layers=1), {"format": "pt"}))
    raw = bytearray(good.read_bytes()[:3000])
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    good.write_bytes(raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw + bytes(200_000))
    found, peak = measured(good)
    assert isinstance(found, (Header, Unreadable))
    assert peak < 100_000_000
