"""PDFs, pictures, recordings and films: what their headers say, and files that are broken or mean harm."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

import sizeup
from sizeup.errors import NotFound, Unavailable, Unreadable
from sizeup.i18n import LANGUAGES, texts
from sizeup.media import Film, Pages, Pdf, Picture, Recording, kind, looked
from tests import media_files

CONTENTS = [
    (b"%PDF-1.7\n", "pdf"),
    (b"\xef\xbb\xbf\n%PDF-1.7\n", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "picture"),
    (b"\xff\xd8\xff\xe0", "picture"),
    (b"GIF89a", "picture"),
    (b"RIFF\0\0\0\0WEBPVP8 ", "picture"),
    (b"RIFF\0\0\0\0WAVEfmt ", "audio"),
    (b"RIFF\0\0\0\0AVI LIST", "film"),
    (b"\0\0\0\x20ftypisom", "film"),
    (b"\0\0\0\x20ftypM4A ", "audio"),
    (b"\0\0\0\x20ftypavif", "picture"),
    (b"\x1aE\xdf\xa3", "film"),
    (b"OggS" + bytes(24) + b"OpusHead", "audio"),
    (b"OggS" + bytes(24) + b"\x80theora", "film"),
    (b"ID3\x04", "audio"),
    (b"\xff\xfb\x90\x64", "audio"),
    (b"\xff\xf1\x50\x80", "audio"),
    (b"fLaC", "audio"),
    ((b"G" + bytes(187)) * 4, "film"),
    ("\ufeffhello".encode("utf-16-le"), None),
    ("一份文件".encode("utf-16"), None),
    (b"a text that names %PDF-1.4 later", None),
    (b"GGUF\x03\0\0\0", None),
    (b"BM, he said, is short for benchmark", None),
]


@pytest.mark.parametrize(("content", "expected"), CONTENTS)
def test_the_content_tells_the_kind(tmp_path: Path, content: bytes, expected: str | None) -> None:
    """Whatever a file is called, its first bytes decide."""
    (file := tmp_path / "thing.txt").write_bytes(content)
    assert expected == kind(file)


@pytest.mark.parametrize(
    ("name", "expected"), [("a.PDF", "pdf"), ("a.jpeg", "picture"), ("a.mp3", "audio"), ("a.mov", "film"), ("a.ts", None)]
)
def test_the_name_tells_where_the_content_does_not(tmp_path: Path, name: str, expected: str | None) -> None:
    """An empty or broken file keeps the kind of its name, so that what is wrong with it can be said."""
    (file := tmp_path / name).write_bytes(b"")
    assert expected == kind(file)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_nothing_waits_for_a_pipe(tmp_path: Path) -> None:
    """A pipe that nobody writes to is no medium, and is not opened."""
    os.mkfifo(pipe := tmp_path / "film.mp4")
    assert kind(pipe) is None
    with pytest.raises(Unreadable, match="is not a regular file"):
        looked(pipe)
    assert kind("/dev/zero") is None
    assert kind(tmp_path) is None
    assert kind(tmp_path / "none.pdf") is None


def test_pages_and_text_of_a_pdf(tmp_path: Path) -> None:
    """Equal pages stand together; the text comes page by page, an empty one as an empty text."""
    pytest.importorskip("pypdfium2")
    pages = ["one (1)\ntwo \\", "", "語言模型需要多少記憶體？\nthree", "语言模型需要多少内存？"]
    found = looked(media_files.pdf(tmp_path / "a", pages))
    assert isinstance(found, Pdf)
    assert (found.kind, found.pages, found.runs) == ("pdf", 4, (Pages(4, 595, 842),))
    assert [text.strip() for text in found.text()] == pages


def test_a_turned_page_is_counted_turned(tmp_path: Path) -> None:
    """A page that is shown on its side is as wide as it is shown."""
    pytest.importorskip("pypdfium2")
    found = looked(media_files.pdf(tmp_path / "a.pdf", ["x"], extra="/Rotate 90"))
    assert isinstance(found, Pdf)
    assert found.runs == (Pages(1, 842, 595),)
    assert found.runs[0].pixels(144) == (1684, 1190)


def test_a_page_as_pixels_is_rounded_up() -> None:
    """A part of a pixel is a pixel: 595.28 points at 144 dots per inch are 1190.56."""
    assert Pages(1, 595.28, 841.89).pixels(144) == (1191, 1684)
    assert Pages(1, 0.1, 0.1).pixels(72) == (1, 1)


def test_a_picture_is_told_by_its_header(tmp_path: Path) -> None:
    """Width, height, and how it is turned; none of its pixels has to be there."""
    pytest.importorskip("PIL")
    assert looked(media_files.png(tmp_path / "a.png", 640, 480)) == Picture(path=tmp_path / "a.png", width=640, height=480)
    turned = looked(media_files.png(tmp_path / "b.png", 640, 480, orientation=6))
    assert isinstance(turned, Picture)
    assert (turned.width, turned.height) == (480, 640)


def test_an_animated_picture_says_its_frames(tmp_path: Path) -> None:
    """An animated GIF has as many frames as it holds."""
    pytest.importorskip("PIL")
    found = looked(media_files.gif(tmp_path / "a.gif", 64, 48, 7))
    assert isinstance(found, Picture)
    assert (found.width, found.height, found.frames) == (64, 48, 7)


FORMATS = ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000"]


@pytest.mark.parametrize("format", FORMATS)
def test_pictures_of_every_format(tmp_path: Path, format: str) -> None:
    """Each format that is said to be read is read, whatever the file is called."""
    image = pytest.importorskip("PIL.Image")
    image.new("RGB", (48, 32), "grey").save(tmp_path / "a", format=format)
    found = looked(tmp_path / "a")
    assert isinstance(found, Picture)
    assert (found.width, found.height, found.frames) == (48, 32, 1)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_taken_sideways_is_counted_upright(tmp_path: Path, format: str) -> None:
    """A phone stores a picture as its sensor lay, and says in EXIF how to turn it."""
    image = pytest.importorskip("PIL.Image")
    exif = image.Exif()
    exif[0x0112] = 6
    image.new("RGB", (48, 32), "grey").save(tmp_path / "a", format=format, exif=exif)
    found = looked(tmp_path / "a")
    assert isinstance(found, Picture)
    assert (found.width, found.height) == (32, 48)


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_frames_of_animated_pictures(tmp_path: Path, format: str) -> None:
    """Animated pictures of each format that has them."""
    image = pytest.importorskip("PIL.Image")
    frames = [image.new("RGB", (48, 32), colour) for colour in ("red", "green", "blue")]
    frames[0].save(tmp_path / "a", format=format, save_all=True, append_images=frames[1:])
    found = looked(tmp_path / "a")
    assert isinstance(found, Picture)
    assert found.frames == 3


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_boxes_of_a_phones_picture(tmp_path: Path, orientation: int) -> None:
    """A HEIC says its size as an AVIF does, which Pillow reads: the same boxes under another brand."""
    image = pytest.importorskip("PIL.Image")
    exif = image.Exif()
    exif[0x0112] = orientation
    image.new("RGB", (48, 32), "grey").save(tmp_path / "a.avif", exif=exif)
    (tmp_path / "a.heic").write_bytes((tmp_path / "a.avif").read_bytes().replace(b"avif", b"heic"))
    found, same = looked(tmp_path / "a.heic"), looked(tmp_path / "a.avif")
    assert isinstance(found, Picture)
    assert isinstance(same, Picture)
    assert (found.width, found.height) == (same.width, same.height) == ((48, 32) if orientation < 5 else (32, 48))


BOMB = """
import resource, sys
from sizeup.media import looked
from PIL import Image
Image.init()
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
found = looked(sys.argv[1])
print(found.width, found.height, found.frames, *found.notes)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="memory is limited as POSIX systems do it")
@pytest.mark.parametrize("name", ["a.png", "a.gif"])
def test_a_picture_bomb_is_not_unpacked(tmp_path: Path, name: str) -> None:
    """A header that claims 60,000 × 60,000 pixels is believed and nothing else is read: 10.8 GB in a process that may have 2 GiB."""
    pytest.importorskip("PIL")
    bomb = tmp_path / name
    frames = 1 if name == "a.png" else 2
    media_files.png(bomb, 60_000, 60_000) if frames == 1 else media_files.gif(bomb, 60_000, 60_000, frames)
    said = subprocess.run([sys.executable, "-c", BOMB, bomb], capture_output=True, text=True, check=True).stdout
    assert said.startswith(f"60000 60000 {frames} It claims 60,000 × 60,000 pixels")


def test_a_film_is_told_by_its_header(tmp_path: Path) -> None:
    """Seconds, pixels, frames per second and sound."""
    pytest.importorskip("av")
    file = media_files.film(tmp_path / "a.mp4", 12, 2, (64, 48), sound=True)
    found = looked(file)
    assert isinstance(found, Film)
    assert (found.width, found.height, found.frames_per_s, found.has_audio, found.sample_rate) == (64, 48, 2.0, True, 16000)
    assert found.seconds == pytest.approx(12, abs=0.1)
    assert found.notes == ()


def test_a_film_without_duration_is_counted_from_its_packets(tmp_path: Path) -> None:
    """A live recording's header says nothing; its packets do, and a note says that."""
    pytest.importorskip("av")
    found = looked(media_files.film(tmp_path / "a.mkv", 12, 2, (64, 48), streamed=True))
    assert isinstance(found, Film)
    assert found.seconds == pytest.approx(12)
    assert found.notes == ("It does not say how long it is: counted from its packets.",)


def test_a_long_film_without_duration_is_estimated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the beginning of a long one is read; the rest is taken to be like it, and a note says that."""
    pytest.importorskip("av")
    monkeypatch.setattr("sizeup.media.film.READ_BYTES", 5000)
    found = looked(media_files.film(tmp_path / "a.mkv", 600, 2, (64, 48), streamed=True))
    assert isinstance(found, Film)
    assert found.seconds == pytest.approx(600, rel=0.25)
    assert found.notes == ("It does not say how long it is: estimated from its first 4.88 KiB.",)


@pytest.mark.parametrize(
    ("codec", "format"), [("pcm_s16le", "wav"), ("flac", "flac"), ("aac", "adts"), ("aac", "mp4"), ("aac", "matroska")]
)
def test_a_recording_is_told_by_its_header(tmp_path: Path, codec: str, format: str) -> None:
    """Sound is a recording in whichever container it lies."""
    pytest.importorskip("av")
    found = looked(media_files.recording(tmp_path / "a", 10, codec, format))
    assert isinstance(found, Recording)
    assert (found.kind, found.sample_rate, found.channels) == ("audio", 16000, 1)
    assert found.seconds == pytest.approx(10, abs=0.15)


def sound_ones(folder: Path) -> list[Path]:
    """A sound file of each kind that the installed libraries write."""
    for name in ("av", "PIL.Image", "pypdfium2"):
        pytest.importorskip(name)
    from PIL import Image

    for format in FORMATS:
        Image.new("RGB", (40, 30), "red").save(folder / format, format=format)
    media_files.film(folder / "film.mp4", 4, 2, (64, 48), sound=True)
    media_files.film(folder / "film.mkv", 4, 2, (64, 48), sound=True)
    media_files.recording(folder / "sound.wav", 1, "pcm_s16le", "wav")
    media_files.pdf(folder / "a.pdf", ["one", "two"])
    return sorted(folder.iterdir())


def test_whatever_is_broken_is_named_or_read(tmp_path: Path) -> None:
    """Bytes of any file may be anything: it is read, or refused in words; nothing else is raised, and no process ends."""
    dice = random.Random(20261121)
    answers = set()
    for file in sound_ones(tmp_path):
        whole = file.read_bytes()
        for _ in range(25):
            broken = bytearray(whole)
            for _ in range(dice.choice([1, 3, 20])):
                broken[dice.randrange(min(len(broken), 2000))] = dice.choice([0, 255, dice.randrange(256)])
            file.write_bytes(broken[: dice.randrange(len(broken))] if dice.random() < 0.3 else broken)
            try:
                found = looked(file)
                answers.add(found.kind)
                if isinstance(found, Pdf):
                    answers.add(str(len(list(found.text())) == found.pages))
            except Unreadable:
                answers.add("unreadable")
    assert answers == {"pdf", "True", "picture", "audio", "film", "unreadable"}


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nother.mp4\n#EXT-X-ENDLIST\n"
ENCRYPTED = b"/Encrypt<</Filter/Standard/V 2/R 3/Length 128/P -4/O<" + b"11" * 32 + b">/U<" + b"22" * 32 + b">>>/ID[<33><33>]"

BROKEN = {
    "nothing.pdf": (b"", "", "is empty"),
    "nothing.png": (b"", "", "is empty"),
    "cut.pdf": (b"%PDF-1.7\n1 0 obj\n<<", "pypdfium2", "is broken or cut short"),
    "text.pdf": (b"hello", "pypdfium2", "is broken or cut short"),
    "pages.pdf": (media_files.pdf_bytes(["x"]).replace(b"/Count 1", b"/Count 500000"), "pypdfium2", "claims 500,000 pages"),
    "cut.png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIH", "PIL", "header is broken"),
    "text.jpg": (b"hello", "PIL", "header is broken"),
    "zero.bmp": (b"BM" + bytes(60), "PIL", "header is broken"),
    "cut.mp4": (b"\0\0\0\x20ftypisom", "av", "is broken or of an unknown format"),
    "list.mp4": (PLAYLIST, "av", "is broken or of an unknown format"),
    "files.mp4": (b"ffconcat version 1.0\nfile other.mp4\n", "av", "is broken or of an unknown format"),
    "noise.wav": (b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff", "av", "is broken or of an unknown format"),
    "letter.txt": (b"hello", "", "no PDF, picture, recording or film"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_named(tmp_path: Path, name: str) -> None:
    """Each is Unreadable in a sentence that names the file and the reason, and in every language."""
    content, needs, reason = BROKEN[name]
    if needs:
        pytest.importorskip(needs)
    (file := tmp_path / name).write_bytes(content)
    with pytest.raises(Unreadable, match=reason) as caught:
        looked(file)
    assert str(file) in caught.value.message
    for language in LANGUAGES[1:]:
        assert texts(language).sentence(caught.value.message) != caught.value.message


def test_an_encrypted_pdf_is_named(tmp_path: Path) -> None:
    """One that opens with a password only is told as that, not as broken."""
    pytest.importorskip("pypdfium2")
    file = media_files.pdf(tmp_path / "a.pdf", ["x"])
    file.write_bytes(file.read_bytes().replace(b"/Root 1 0 R", b"/Root 1 0 R" + ENCRYPTED))
    with pytest.raises(Unreadable, match="is encrypted: it opens with a password only"):
        looked(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no file"):
        looked(tmp_path / "none.pdf")


@pytest.mark.parametrize(("name", "library"), [("a.pdf", "pypdfium2"), ("a.png", "PIL"), ("a.mp3", "av")])
def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, library: str) -> None:
    """Without the package that reads a kind, the error says what to install; the other kinds are not touched."""
    (file := tmp_path / name).write_bytes(b"x")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(Unavailable) as caught:
        looked(file)
    assert caught.value.hint == 'pip install ".[tokens]" in the folder of sizeup'


@pytest.mark.parametrize("language", LANGUAGES[1:])
@pytest.mark.parametrize(
    "note",
    [
        "2 of its 9 pages are broken and not counted.",
        "It claims 60,000 × 60,000 pixels: only its header was read, and programs that unpack it may refuse it.",
        "It does not say how long it is, and holds nothing that tells.",
        "It does not say how long it is: counted from its packets.",
        "It does not say how long it is: estimated from its first 32 MiB.",
    ],
)
def test_every_note_is_translated(note: str, language: str) -> None:
    """What is noted of a file is told in every language."""
    assert texts(language).sentence(note) != note


def test_too_thin_for_some_is_counted_by_the_others(tmp_path: Path) -> None:
    """Without a model a picture is told between the families that take it; one that some of them refuse is not lost."""
    pytest.importorskip("PIL")
    thing = sizeup.count_tokens(media_files.png(tmp_path / "a.png", 1, 5000)).things[0]
    assert thing.how == "estimated"
    assert thing.tokens.high > thing.tokens.low > 0


def test_a_film_for_a_family_without_films_says_how_it_is_given(tmp_path: Path) -> None:
    """Frames as pictures are another thing than a film that the family knows."""
    pytest.importorskip("av")
    found = sizeup.count_tokens(media_files.film(tmp_path / "a.mkv", 10, 2, (64, 48)), model="google/gemma-3-4b-it")
    assert (found.things[0].tokens.middle, found.things[0].notes) == (
        2600,
        ("It has no rule for films: a frame a second is given as a picture.",),
    )
