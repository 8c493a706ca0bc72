"""Number formats: the block table of ggml and the layouts of the Hugging Face formats, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizeup.errors import NotFound
from sizeup.figure import Figure, leaf
from sizeup.quant import ggml_type, quant, quants

GGML = [q for q in quants().values() if q.id is not None]
PIECED = [q for q in quants().values() if q.pieces]


def test_every_ggml_type_of_the_gguf_package_is_here_with_its_block():
    """Block and bytes of each ggml type equal the gguf package's table; Q8_1 differs there (it keeps an older 40-byte block)."""
    gguf = pytest.importorskip("gguf")
    ours = {q.id: (q.name, q.block, q.block_bytes) for q in GGML}
    theirs = {int(t): (t.name, *sizes) for t, sizes in gguf.GGML_QUANT_SIZES.items()}
    theirs[9] = ("Q8_1", 32, 36)
    # Q2_0 is in the C table only.
    assert ours == theirs | {42: ("Q2_0", 64, 18)}


@pytest.mark.parametrize("q", GGML, ids=lambda q: q.name)
def test_a_ggml_block_is_the_sum_of_its_parts(q):
    """The spelled parts add up to the bytes of the block."""
    assert eval(q.parts.replace("/", "//")) == q.block_bytes


@pytest.mark.parametrize(
    ("name", "row", "rows", "expected"),
    [
        # 4096 x 4096 unless the shape is the point.
        ("F16", 4096, 4096, 33554432),
        ("Q4_0", 4096, 4096, 4096 * 128 * 18),
        ("Q4_K", 4096, 4096, 4096 * 16 * 144),
        ("IQ1_M", 4096, 2, 2 * 16 * 56),
        ("MXFP4", 2880, 5, 5 * 90 * 17),
        ("NVFP4", 4096, 1, 64 * 36),
        # one byte a weight and a float per output row
        ("bnb-int8", 4096, 11008, 4096 * 11008 + 4 * 11008),
        # half a byte a weight, a float per 64, 16 floats of code table
        ("bnb-nf4", 4096, 4096, 8388608 + 4 * 262144 + 64),
        # absmax to one byte each; one float per 256 of them; the offset
        ("bnb-nf4-double", 4096, 4096, 8388608 + 262144 + 4 * 1024 + 4 + 64),
        # blocks run over row ends: 100 x 3 values are 150 bytes, 5 absmax codes, one absmax of them
        ("bnb-fp4-double", 100, 3, 150 + 5 + 4 + 4 + 64),
        # 512 words a row; 32 groups x 512 words of zeros; 32 x 4096 halves
        ("awq-int4-g128", 4096, 4096, 4096 * 512 * 4 + 32 * 512 * 4 + 32 * 4096 * 2),
        ("gptq-int4-g128", 4096, 11008, 512 * 11008 * 4 + 32 * 1376 * 4 + 32 * 11008 * 2 + 4096 * 4),
        ("gptq-int3-g128", 4096, 4096, 384 * 4096 * 4 + 32 * 384 * 4 + 32 * 4096 * 2 + 4096 * 4),
        ("gptq-int4-row", 4096, 4096, 512 * 4096 * 4 + 512 * 4 + 4096 * 2 + 4096 * 4),
        ("fp8-tensor", 4096, 4096, 16777216 + 4),
        ("fp8-channel", 4096, 1024, 4194304 + 4096),
        # DeepSeek-V3 kv_a_proj_with_mqa: 576 outputs are five tiles of 128
        ("fp8-block128", 7168, 576, 7168 * 576 + 56 * 5 * 4),
        ("hf-mxfp4", 2880, 5760, 5760 * (1440 + 90)),
        ("hf-nvfp4", 4096, 4096, 8388608 + 4096 * 256 + 4),
        ("ct-nvfp4", 4096, 4096, 8388608 + 4096 * 256 + 8),
        ("ct-w4a16-g128", 4096, 4096, 4096 * 512 * 4 + 4096 * 32 * 2 + 16),
        ("ct-w4a16-asym-g128", 4096, 4096, 4096 * 512 * 4 + 4096 * 32 * 2 + 512 * 32 * 4 + 16),
        ("ct-w8a8", 4096, 4096, 16777216 + 8192),
        ("torchao-int4-g128", 4096, 4096, 8388608 + 2 * 32 * 4096 * 2),
        ("torchao-int8", 4096, 4096, 16777216 + 8192),
        ("torchao-float8-row", 4096, 4096, 16777216 + 16384),
        # 4.5 bits: 64 x 4 bits are 32 bytes, two halves a group
        ("mlx-4bit-g64", 4096, 4096, 4096 * 64 * 36),
        ("mlx-3bit-g32", 4096, 4096, 4096 * 128 * 16),
        ("mlx-6bit-g128", 4096, 4096, 4096 * 32 * 100),
        ("mlx-mxfp4", 4096, 4096, 4096 * 128 * 17),
        ("mlx-nvfp4", 4096, 4096, 4096 * 256 * 9),
    ],
)
def test_matrix_bytes_worked_by_hand(name, row, rows, expected):
    """Codes, scales, zero points and tables of one matrix, added by hand from each library's layout."""
    assert expected == quant(name).tensor_bytes(row, rows)


@given(st.sampled_from(sorted(quants())), st.integers(1, 200), st.integers(1, 5000))
def test_int_equals_figure_equals_column(name, blocks, rows):
    """The law: bytes from ints, figures and columns are the same number, and a figure remembers its shape."""
    numpy = pytest.importorskip("numpy")
    q, row = quant(name), blocks * 256
    plain = (q.row_bytes(row), q.tensor_bytes(row, rows))
    figures = (q.row_bytes(leaf("row", row)), q.tensor_bytes(leaf("row", row), leaf("rows", rows)))
    columns = (q.row_bytes(numpy.array([row, row])), q.tensor_bytes(numpy.array([row, row]), numpy.array([rows, rows])))
    assert plain == tuple(f.value for f in figures)
    assert all(isinstance(f, Figure) for f in figures)
    assert [[p, p] for p in plain] == [list(numpy.broadcast_to(c, 2)) for c in columns]


@given(st.sampled_from([q.name for q in PIECED]), st.integers(1, 64), st.integers(1, 64))
def test_codes_of_a_pieced_format_match_its_block(name, blocks, rows):
    """`block` and `block_bytes` of a pieced format describe its codes, wherever whole blocks and words fill the matrix."""
    q = quant(name)
    row, high = blocks * 256, rows * 32
    assert q.row_bytes(row) * high == q.pieces[0].stored_bytes(row, high)


def test_every_format_says_where_it_is_from():
    """Each row has a source and a date."""
    assert [q.name for q in quants().values() if not q.source.where or not q.source.date] == []


def test_ids_find_types_and_withdrawn_ids_are_refused():
    """A GGUF's type number finds its format; a withdrawn or unknown one is a sentence with a hint."""
    assert (ggml_type(12).name, ggml_type(39).name, ggml_type(30).name) == ("Q4_K", "MXFP4", "BF16")
    for withdrawn in (4, 31, 36, 43, 10**9):
        with pytest.raises(NotFound, match=str(withdrawn)):
            ggml_type(withdrawn)


def test_a_near_miss_names_the_nearest():
    """A misspelt format is refused with formats that look like it."""
    with pytest.raises(NotFound) as error:
        quant("q4-k")
    assert "Q4_K" in error.value.hint
