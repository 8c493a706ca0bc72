"""How many tokens a family makes of a picture, of sound and of a film: the rows, and rules worked by hand."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from tools.media import FILE, document

from sizeup.errors import Refused
from sizeup.facts import data_json
from sizeup.i18n import LANGUAGES, texts
from sizeup.media.rules import families, rule
from sizeup.readers import catalogue_data

PICTURES = [
    # 256 tokens, begin and end, and an empty line before and after.
    ("gemma3", 640, 480, 256 + 4),
    ("llava", 1, 5000, 576),
    # 640 × 480 is 22.9 × 17.1 squares of 28: 23 × 17, with a mark on each side.
    ("qwen2_vl", 640, 480, 23 * 17 + 2),
    # 1280 × 720 is 40 × 22.5 squares of 32, and Python rounds the half to the even.
    ("qwen3_vl", 1280, 720, 40 * 22 + 2),
    # 64 × 64 patches of 16, and a mark for each row.
    ("pixtral", 1024, 1024, 64 * 64 + 64),
    ("pixtral", 2048, 1024, 64 * 32 + 32),
    # The size of one tile is one tile; twice as wide is two, and the whole beside them.
    ("internvl", 448, 448, 256 + 2),
    ("internvl", 896, 448, 3 * 256 + 2),
    ("llama4", 336, 336, 144 + 3),
    ("llama4", 672, 336, 3 * 144 + 2 + 3),
    # 4 tiles across and 3 down, each with 2 marks, a mark for each row, and the whole with 3.
    ("idefics3", 1456, 1092, 12 * (169 + 2) + 3 + 169 + 3),
    # The whole at 24 × 24, the best size 672 × 672 at 48 × 48 without the padding of a quarter, a mark for each row.
    ("llava_next", 640, 480, 576 + 48 * 36 + 36),
    ("mllama", 3000, 3000, 1),
]
SOUNDS = [
    ("gemma3n", 30, 188 + 4),
    ("gemma3n", 31, 2 * (188 + 4)),
    # 25 tokens a second, of the first 30 seconds.
    ("qwen2_audio", 10, 250 + 2),
    ("qwen2_audio", 60, 750 + 2),
    # 13 for each second.
    ("qwen3_omni_moe", 60, 60 * 13 + 2),
    ("voxtral", 61, 3 * 375 + 2),
    ("whisper", 60, 0),
]
FILMS = [
    # Two frames a second, two to a token: 10 pairs of 640 × 480.
    ("qwen2_vl", 10, 20, 10 * 23 * 17 + 2),
    ("qwen2_vl", 7200, 768, 384 * 23 * 17 + 2),
    # 32 frames of at most 70 tokens: 9 × 7, begin and end.
    ("gemma4", 600, 32, 32 * (9 * 7 + 2)),
    # A family without a rule for films: a picture each second.
    ("gemma3", 10, 10, 10 * 260),
]


@pytest.mark.parametrize(("family", "width", "height", "tokens"), PICTURES)
def test_pictures_worked_by_hand(family: str, width: int, height: int, tokens: int) -> None:
    """Tokens of a picture as its family cuts it."""
    found = rule(family)
    assert found is not None
    assert found.picture(width, height) == tokens


@pytest.mark.parametrize(("family", "seconds", "tokens"), SOUNDS)
def test_sounds_worked_by_hand(family: str, seconds: float, tokens: int) -> None:
    """Tokens of sound."""
    found = rule(family)
    assert found is not None
    assert found.audio(seconds) == tokens


@pytest.mark.parametrize(("family", "seconds", "frames", "tokens"), FILMS)
def test_films_worked_by_hand(family: str, seconds: float, frames: int, tokens: int) -> None:
    """Frames and tokens of a silent film of 640 × 480 at 25 frames a second."""
    found = rule(family)
    assert found is not None
    assert (found.frames(seconds, 25), found.film(seconds, 640, 480, 25)) == (frames, tokens)


def test_a_film_is_no_more_than_it_holds() -> None:
    """However many frames are asked for, each is taken once."""
    for found in families():
        if found.films:
            assert found.frames(3, 2, sample_per_s=100) == 6
            assert found.frames(0, 25) == 1


def test_sound_of_a_film_is_added_where_it_is_heard() -> None:
    """Families that hear add the sound, the others do not; a silent film has none."""
    for found in families():
        silent, loud = (found.film(60, 640, 480, 25, audio=audio) for audio in (False, True))
        if silent is not None:
            assert (loud or 0) - silent == (found.audio(60) or 0)


def test_too_thin_a_picture_is_refused() -> None:
    """Where the family's own code refuses, the rule does, in a sentence that every language has."""
    found = rule("qwen2_vl")
    assert found is not None
    with pytest.raises(Refused, match="A picture of 2 × 401 pixels is too thin") as caught:
        found.picture(2, 401)
    for language in LANGUAGES[1:]:
        assert texts(language).sentence(caught.value.message) != caught.value.message


def test_any_size_has_an_answer() -> None:
    """From one pixel to a bomb: a positive number, or a refusal."""
    for found in families():
        for size in ((1, 1), (1, 200), (60_000, 60_000), (3, 4000), (100_000, 1)):
            try:
                assert (found.picture(*size) or 1) > 0
            except Refused:
                assert max(size) >= 200 * min(size)


def test_llamacpp_has_limits_of_its_own() -> None:
    """llama.cpp scales a large picture for Qwen to at most 4,096 tokens, where transformers makes 16,384."""
    ours, theirs = rule("qwen2_vl", engine="llama.cpp"), rule("qwen2_vl")
    assert ours is not None
    assert theirs is not None
    assert (ours.picture(8000, 8000), theirs.picture(8000, 8000)) == (4096 + 2, 16384 + 2)
    assert ours.picture(640, 480) == theirs.picture(640, 480)
    assert "llama.cpp" in ours.source.where


def test_a_config_goes_before_the_row() -> None:
    """What a model's own config says is taken; a text where a number should be is not."""
    config = {"model_type": "mistral3", "spatial_merge_size": 1, "vision_config": {"patch_size": "14"}}
    found = rule(SimpleNamespace(model_type="mistral", architecture="llama", config=config, path=None))
    assert found is not None
    assert found.picture(140, 140) == 10 * 10 + 10


def test_a_gguf_has_no_model_type() -> None:
    """A model read from a GGUF is known by llama.cpp's name for its family."""
    found = rule(SimpleNamespace(model_type="", architecture="qwen2vl", config={}, path=None))
    assert found is not None
    assert found.family == "qwen2_vl"


def test_models_of_the_catalogue_have_rules() -> None:
    """Each shipped model with a tower for pictures or sound is of a family that is written down, but for those named here."""
    configs = [catalogue_data.config(row["id"]) for row in catalogue_data.rows()]
    seeing = [config for config in configs if "vision_config" in config or "audio_config" in config]
    assert len(seeing) > 80
    assert {
        config["model_type"] for config in seeing if rule(SimpleNamespace(config=config, model_type="", architecture="", path=None)) is None
    } == {"kimi_k3"}


def test_every_row_is_a_rule_and_stands_once() -> None:
    """Each family is described by one row, and each row can be asked."""
    rows = data_json("media_rules.json")["rules"]
    for column in ("model_types", "gguf"):
        names = [name for row in rows for name in row.get(column, ())]
        assert len(names) == len(set(names))
    assert all(found.source.where and found.source.date for found in families())
    assert [found.family for found in families() if found.picture(640, 480) is None and found.audio(10) is None] == []
    assert sum(found.pictures is not None for found in families()) >= 28
    assert sum(found.sounds is not None for found in families()) >= 10


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_note_of_a_family_is_translated(language: str) -> None:
    """What there is to know of a family besides is told in every language."""
    notes = [note for found in families() for _, note in found.notes]
    assert len(notes) > 10
    assert [note for note in notes if texts(language).sentence(note) == note] == []


def test_a_note_is_of_what_is_asked() -> None:
    """What is to know of films is not told of pictures."""
    found = rule("gemma4")
    assert found is not None
    assert (found.note("picture"), found.note("film")) == ("", "Of a film 32 frames are taken, however long it is.")


def test_a_family_that_nobody_wrote_down_has_no_rule() -> None:
    """Unknown is a value: no family is taken for another."""
    assert rule("llama") is None


def test_the_page_of_rules_is_written_anew() -> None:
    """`python -m tools.media` would change nothing."""
    assert FILE.read_text(encoding="utf-8") == document()


def _kept(folder: Path, name: str, content: object, **config: object) -> int | None:
    """Tokens of a large picture to a Qwen2.5-VL whose folder holds this file."""
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    found = rule(SimpleNamespace(model_type="", architecture="", path=str(folder), config={"model_type": "qwen2_5_vl", **config}))
    assert found is not None
    return found.picture(8000, 8000)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("preprocessor_config.json", {"size": {"shortest_edge": 3136, "longest_edge": 784 * 100}}),
        ("preprocessor_config.json", {"min_pixels": 3136, "max_pixels": 784 * 100, "size": {"longest_edge": 784 * 900}}),
        ("processor_config.json", {"image_processor": {"max_pixels": 784 * 100}, "max_pixels": 784}),
    ],
)
def test_a_checkpoint_s_own_limits_are_taken(tmp_path: Path, name: str, content: object) -> None:
    """The file beside the weights goes before what is published with the family, in each of the shapes that it has had."""
    assert _kept(tmp_path, name, content) == 100 + 2


@pytest.mark.parametrize(
    "content", ["{", "[1]", {"max_pixels": "784"}, {"max_pixels": -1}, {"max_pixels": True}, {"size": 5}, "[" * 100_000]
)
def test_broken_settings_of_a_checkpoint_are_none(tmp_path: Path, content: object) -> None:
    """A file that says nothing that can be read leaves what is published."""
    assert _kept(tmp_path, "preprocessor_config.json", content) == 16384 + 2
