"""Tokens of pictures, films and sound equal what transformers' own processors make of them."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from sizeup.errors import Refused
from sizeup.media.rules import rule

pytest.importorskip("transformers")
pytest.importorskip("torch")
pytest.importorskip("PIL")
pytestmark = pytest.mark.transformers

from tests import media_oracles  # noqa: E402

CORNERS = [(1, 1), (1, 2), (13, 13), (14, 14), (28, 28), (1, 200), (200, 1), (1, 201), (5000, 7), (7, 5000), (224, 224), (336, 336)]
CORNERS += [(448, 448), (449, 448), (512, 512), (640, 480), (480, 640), (768, 768), (769, 768), (1024, 1024), (1280, 720), (1654, 2339)]
CORNERS += [
    (1920, 1080),
    (1080, 1920),
    (3840, 2160),
    (4000, 3000),
    (672, 672),
    (336, 1344),
    (1344, 336),
    (12000, 9000),
    (60000, 60000),
    (16000, 3),
    (3, 16000),
    (11250, 3000),
]
"""Widths and heights: the smallest, the thinnest, sizes of tiles and next to them, screens, a scanned page, a bomb."""


def sizes() -> list[tuple[int, int]]:
    """The corners, and three hundred sizes of every order of magnitude."""
    dice = random.Random(20261121)
    return CORNERS + [(int(2 ** dice.uniform(0, 14)), int(2 ** dice.uniform(0, 14))) for _ in range(300)]


def answered(count: Callable[[int, int], Any], *size: int) -> int | str:
    """Tokens; "refused" when the code itself refuses the size or cannot scale to it."""
    try:
        return int(count(*size))
    except (ValueError, ZeroDivisionError, TypeError, Refused):
        return "refused"


@pytest.mark.parametrize("family", media_oracles.FAMILIES)
def test_pictures_of_any_size(family: str) -> None:
    """For every size, what the family's rule says is what its processor's own helper says; what one refuses the other refuses."""
    found = rule(family)
    assert found is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle, _ = media_oracles.FAMILIES[family]()
        wrong = [
            (width, height, said, ours)
            for width, height in sizes()
            if (said := answered(oracle, height, width))
            != (ours := answered(lambda *size: found.picture(*size) - found.template, width, height))
        ]
    assert wrong == []


READ = [(97, 61), (640, 480), (333, 1001)]
"""Sizes of pictures that are really preprocessed."""


@pytest.mark.parametrize("family", media_oracles.FAMILIES)
def test_pictures_really_read(family: str) -> None:
    """The helper is no other formula: a real picture, really scaled and cut, is given as many tokens."""
    found = rule(family)
    assert found is not None
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, read = media_oracles.FAMILIES[family]()
        if read is None:
            pytest.skip(f"{family} scales pictures with torchvision, which is not installed")
        said = [read(Image.new("RGB", size, "grey")) for size in READ]
    assert [found.picture(*size) - found.template for size in READ] == said


FRAME_SIZES = [(320, 180), (640, 480), (1280, 720), (1920, 1080), (1080, 1920), (3840, 2160), (100, 37)]


@pytest.mark.parametrize("family", media_oracles.FILMS)
def test_films_looked_at_in_pairs(family: str) -> None:
    """Frames that are taken of a film at 2 a second, and tokens of so many frames of a size, as the video processor says them."""
    found = rule(family)
    assert found is not None
    assert found.clips is not None
    taken, tokens = media_oracles.FILMS[family]()
    if taken is not None:
        films = [(seconds, per_s) for seconds in (1, 2, 3, 10, 29, 60, 299, 600, 3000, 7200) for per_s in (2, 10, 24, 25, 30)]
        even = 2 if family.startswith("glm") else 1  # GLM's last frame is given twice, to make a pair
        frames = {film: -(-(found.frames(*map(float, film)) or 0) // even) * even for film in films}
        assert frames == {(seconds, per_s): taken(seconds * per_s, per_s) for seconds, per_s in films}
    marks = getattr(found.clips, "pair_marks", 0)
    for count in (2, 4, 5, 8, 32, 300, 768):
        for width, height in FRAME_SIZES:
            pairs = -(-count // 2)
            assert found.clips.tokens(count, width, height) - pairs * marks == tokens(count, height, width), (count, width, height)


def test_films_looked_at_frame_by_frame() -> None:
    """Tokens of so many frames, with their marks."""
    for family, tokens in media_oracles._frames().items():
        found = rule(family)
        assert found is not None
        assert found.clips is not None
        for count in (1, 8, 32):
            for width, height in FRAME_SIZES:
                assert (family, found.clips.tokens(count, width, height)) == (family, tokens(count, height, width))


def test_sound_of_any_length() -> None:
    """Tokens of so many samples at 16 kHz, from the feature extractors and the processors' own formulas."""
    samples = [1600, 3999, 8000, 15999, 16000, 16001, 33333, 160000, 479999, 480000, 480001, 700000]
    for family, tokens in media_oracles._sounds().items():
        found = rule(family)
        assert found is not None
        said = [(family, count, tokens(count)) for count in samples]
        assert [(family, count, (found.audio(count / 16000) or 0) - found.template) for count in samples] == said


@pytest.mark.parametrize("family", media_oracles.FIXED)
def test_fixed_numbers_of_tokens(family: str) -> None:
    """Families that make one number of tokens of every picture: it is the default of their processor."""
    found = rule(family)
    assert found is not None
    assert getattr(found.pictures, "each", None) == media_oracles.fixed(family)
