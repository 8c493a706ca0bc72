"""Safetensors headers: what is stored, in whole files and shards; a broken one is a sentence, quickly and in little memory."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sizeup import account, read
from sizeup.errors import NotFound, SizeupError, Unreadable
from sizeup.model import Tensor
from sizeup.readers.safetensors import DTYPES, Header, read_header, read_headers
from tests.checkpoints import BITS, llama, save, save_config, save_sharded, table

GOOD = table({"a": ("BF16", (4, 8)), "b": ("F32", (3,))}, {"format": "pt"})


def measured(path: Path, reader: object = read_header) -> tuple[object, int]:
    """What reading gives, an error included, and the peak of memory."""
    tracemalloc.start()
    try:
        try:
            found: object = reader(path)  # type: ignore[operator]
        except SizeupError as error:
            found = error
        return found, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


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


# Checkpoints of several files


@pytest.mark.parametrize("count", [1, 3])
def test_shards_are_one_checkpoint(count: int, tmp_path: Path) -> None:
    """An index, and any shard it names, lead to all tensors; each knows its file."""
    index = save_sharded(tmp_path, llama(), count)
    for start in (index, *sorted(tmp_path.glob("*.safetensors"))):
        headers = read_headers(start)
        assert len(headers) == count
        assert {t.name for h in headers for t in h.tensors} == set(llama())
        assert [{t.file for t in h.tensors} for h in headers] == [{number} for number in range(count)]
    index.unlink()
    assert len(read_headers(tmp_path / f"model-00001-of-{count:05}.safetensors")) == count


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    """The shard that is not there is named, with or without an index."""
    index = save_sharded(tmp_path, llama(), 3)
    (tmp_path / "model-00002-of-00003.safetensors").unlink()
    for start in (index, tmp_path / "model-00001-of-00003.safetensors"):
        with pytest.raises(NotFound, match=r"Shard 2 of 3 is missing: model-00002-of-00003\.safetensors"):
            read_headers(start)
    index.unlink()
    with pytest.raises(NotFound, match="Shard 2 of 3"):
        read_headers(tmp_path / "model-00003-of-00003.safetensors")


@pytest.mark.parametrize("name", ["model-00000-of-00002", "model-00003-of-00002", "model-00001-of-00000", "model-00001-of-99999"])
def test_a_number_that_no_shard_has(name: str, tmp_path: Path) -> None:
    """A shard numbered outside its count is refused before others are looked for."""
    path = save(tmp_path / f"{name}.safetensors", GOOD)
    with pytest.raises(Unreadable, match="numbered"):
        read_headers(path)


@pytest.mark.parametrize(
    "content",
    [
        *(
            {"weight_map": {"a": name}}
            for name in ("../m.safetensors", "/etc/m.safetensors", "x/m.safetensors", "C:\\m.safetensors", "..", "")
        ),
        {"weight_map": {"a": "m\0.safetensors"}},
        {"weight_map": {"a": "model.safetensors.index.json"}},
        {"weight_map": {"a": ["m.safetensors"]}},
        {"weight_map": {"a": 1}},
        {"weight_map": {}},
        {"weight_map": ["a"]},
        {"weight_map": "m.safetensors"},
        {"metadata": {}},
        {},
    ],
)
def test_an_index_that_leads_astray(content: object, tmp_path: Path) -> None:
    """An index names safetensors files beside it, or it is refused: no path, no index again, no other value."""
    save(tmp_path / "folder" / "m.safetensors", GOOD)
    save(tmp_path / "m.safetensors", GOOD)
    index = tmp_path / "folder" / "model.safetensors.index.json"
    index.write_text(json.dumps(content))
    found, peak = measured(index, read_headers)
    assert isinstance(found, Unreadable)
    assert peak < 5 << 20


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b'{"weight_map": {"a": "m.safetensors", "a": "m.safetensors"}}', b'{"weight_map":' * 9000, b"{" * 9000]
)
def test_an_index_that_is_no_json(raw: bytes, tmp_path: Path) -> None:
    """An index that is none, or names a tensor twice, is a sentence."""
    (tmp_path / "model.safetensors.index.json").write_bytes(raw)
    with pytest.raises(Unreadable, match=r"index of shards|is empty"):
        read_headers(tmp_path / "model.safetensors.index.json")


def test_an_index_that_is_untrue(tmp_path: Path) -> None:
    """The index and the shards must say the same of every tensor."""
    index = save_sharded(tmp_path, llama(), 2)
    listed = json.loads(index.read_text())["weight_map"]
    first, second = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    moved = next(name for name, file in listed.items() if file == first)
    for wrong in ({**listed, moved: second}, {**listed, "absent": first}, {n: f for n, f in listed.items() if n != moved}):
        index.write_text(json.dumps({"weight_map": wrong}))
        with pytest.raises(Unreadable, match=r"index\.json (does not say|says)"):
            read_headers(index)


def test_two_shards_with_one_tensor(tmp_path: Path) -> None:
    """A tensor stands in one shard only."""
    for number in (1, 2):
        save(tmp_path / f"m-{number:05}-of-00002.safetensors", GOOD)
    with pytest.raises(Unreadable, match="same tensor"):
        read_headers(tmp_path / "m-00001-of-00002.safetensors")


def test_a_large_index_stays_in_bounds(tmp_path: Path) -> None:
    """An index of 140,000 tensors, as the largest published ones, is read below 100 MB; its shards decide the rest."""
    index = tmp_path / "model.safetensors.index.json"
    listed = {
        f"model.layers.{n // 2400}.mlp.experts.{n // 6 % 400}.gate_proj_{n % 6}.weight_scale": f"model-{n % 61 + 1:05}-of-00061.safetensors"
        for n in range(140_000)
    }
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": listed}))
    found, peak = measured(index, read_headers)
    assert isinstance(found, NotFound)
    assert "Shard 1 of 61" in found.message
    assert peak < 100_000_000


# With a config


def test_a_folder_is_its_config_and_its_weights(tmp_path: Path) -> None:
    """Layers come from the config, tensors from the files; both agree, so nothing is warned of."""
    folder = save_config(tmp_path / "tiny")
    index = save_sharded(folder, llama(), 2)
    sizes = tuple(path.stat().st_size for path in sorted(folder.glob("*.safetensors")))
    for what in (folder, index, folder / "model-00002-of-00002.safetensors"):
        spec = read(what)
        assert (spec.stored, spec.name, len(spec.tensors), spec.file_bytes) == ("safetensors", "tiny", 21, sizes)
        assert (spec.parameters, spec.warnings, spec.notes) == (spec.stored_parameters, (), ())


def test_the_engine_makes_its_own_file_of_a_checkpoint(tmp_path: Path) -> None:
    """llama.cpp reads no safetensors: a checkpoint costs what its config costs at the same mix."""
    folder = save_config(tmp_path / "tiny")
    config_only = account(read(folder), quant="Q8_0")
    save(folder / "model.safetensors", table(llama()))
    assert read(folder).stored == "safetensors"
    assert account(read(folder), quant="Q8_0").claims == config_only.claims


def test_a_difference_is_named(tmp_path: Path) -> None:
    """Tensors that the config does not explain are counted in the warning; buffers and a tied head's copy are explained."""
    folder = save_config(tmp_path / "tiny")
    save(folder / "model.safetensors", table({**llama(), "surprise": ("BF16", (10, 10))}))
    assert [w for w in read(folder).warnings if "+100 " in w] == list(read(folder).warnings) != []
    save(folder / "model.safetensors", table({**llama(), "model.rotary_emb.inv_freq": ("F32", (8,))}))
    assert read(folder).warnings == ()
    save_config(folder, tie_word_embeddings=True)
    assert read(folder).warnings == ()
    tied = {name: shape for name, shape in llama().items() if name != "lm_head.weight"}
    save(folder / "model.safetensors", table(tied))
    assert read(folder).warnings == ()
    assert read(folder).parameters == sum(t.elements for t in read(folder).tensors)


def test_packed_weights_are_explained(tmp_path: Path) -> None:
    """Codes of several weights in one word make fewer elements than weights: a note, no warning."""
    folder = save_config(tmp_path / "tiny")
    packed = {}
    for name, (dtype, shape) in llama("F16").items():
        if "proj" in name:
            stem = name.removesuffix("weight")
            packed[f"{stem}qweight"] = ("I32", (shape[1] // 8, shape[0]))
            packed[f"{stem}scales"] = ("F16", (1, shape[0]))
        else:
            packed[name] = (dtype, shape)
    save(folder / "model.safetensors", table(packed))
    spec = read(folder)
    assert spec.warnings == ()
    assert len(spec.notes) == 1
    assert "packed into I32" in spec.notes[0]


def test_scales_are_no_weights(tmp_path: Path) -> None:
    """FP8 matrices with their scales beside them agree with the config."""
    folder = save_config(tmp_path / "tiny")
    scaled = {n + "_scale_inv": ("F32", (2, 1)) for n in llama() if "proj" in n}
    save(folder / "model.safetensors", table({**llama("F8_E4M3"), **scaled}))
    assert read(folder).warnings == ()


def test_which_files_of_a_folder_are_the_model(tmp_path: Path) -> None:
    """model.safetensors goes before others; an adapter is no model; several unrelated files are not guessed at; no shard at all is said."""
    folder = save_config(tmp_path / "tiny")
    save(folder / "adapter_model.safetensors", GOOD)
    assert read(folder).stored == "config"
    save(folder / "consolidated.safetensors", table({**llama(), "more": ("F16", (4,))}))
    save(folder / "model.safetensors", table(llama()))
    assert (read(folder).stored, read(folder).warnings) == ("safetensors", ())
    (folder / "model.safetensors").rename(folder / "first.safetensors")
    save(folder / "second.safetensors", GOOD)
    assert read(folder).stored == "config"
    assert "no index" in read(folder).warnings[0]
    bare = save_config(tmp_path / "bare")
    (bare / "model.safetensors.index.json").write_text('{"weight_map": {"a": "m.safetensors"}}')
    assert read(bare).stored == "config"
    assert "no shard" in read(bare).warnings[0]
    with pytest.raises(NotFound, match="Shard 1 of 1"):
        read(bare / "model.safetensors.index.json")


def test_a_shard_that_is_a_pointer(tmp_path: Path) -> None:
    """A shard that Git LFS has not fetched is named as such."""
    folder = save_config(tmp_path / "tiny")
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(Unreadable, match="Git LFS pointer") as caught:
        read(folder)
    assert caught.value.hint == "git lfs pull"


def test_no_config(tmp_path: Path) -> None:
    """Tensors without a config do not say how they are used."""
    save(tmp_path / "model.safetensors", table(llama()))
    for what in (tmp_path, tmp_path / "model.safetensors"):
        with pytest.raises(NotFound, match=r"config\.json"):
            read(what)
