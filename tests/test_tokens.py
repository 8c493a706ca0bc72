"""Tokens of files: what is read of each kind, in which encoding, and files that mean harm."""

from __future__ import annotations

import json
import random
import struct
import zipfile
from pathlib import Path

import pytest

import sizeup as package
from sizeup.datasets.guess import characters, tokens
from sizeup.errors import SizeupError, Unavailable, UserError
from sizeup.tokens import document, web_page
from sizeup.tokens.decode import Encoding, encoding_of, is_binary
from sizeup.tokens.found import Tokens

RIVER = "春天的河水每年都會漫過田地，留下一層細細的泥土。四月裡抱怨洪水的農夫，到了八月又會感謝它。"
RIVER_SIMPLIFIED = "春天的河水每年都会漫过田地，留下一层细细的泥土。四月里抱怨洪水的农民，到了八月又会感谢它。"
ENGLISH = "A river that floods every spring leaves fine mud on the fields."


def written(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def names(found: Tokens) -> list[str]:
    return [Path(thing.path).name for thing in found.things]


ENCODINGS = [
    ("utf-8", ENGLISH + RIVER, "utf-8"),
    ("utf-8-sig", ENGLISH + RIVER, "utf-8-sig"),
    ("utf-16", ENGLISH + RIVER, "utf-16"),
    ("utf-32", ENGLISH + RIVER, "utf-32"),
    ("big5", RIVER, "big5"),
    ("gb18030", RIVER_SIMPLIFIED, "gb18030"),
    ("cp1252", "Der alte Uhrmacher öffnet jeden Morgen seine Werkstatt und prüft die Federn der großen Standuhr.", "cp1252"),
]


@pytest.mark.parametrize(("encoding", "text", "expected"), ENCODINGS, ids=[row[0] for row in ENCODINGS])
def test_encodings(tmp_path: Path, encoding: str, text: str, expected: str) -> None:
    """The same characters whatever the bytes are; what nothing names is told by what it says, and that is said."""
    thing = package.count_tokens(written(tmp_path / "x.txt", text.encode(encoding))).things[0]
    assert (thing.encoding, thing.characters, thing.tokens.middle) == (expected, len(text), round(tokens(characters(text))[1]))
    assumed = encoding in ("big5", "gb18030", "cp1252")
    assert thing.notes == ((f"Its encoding is not said; read as {expected}.",) if assumed else ())


def test_an_encoding_that_is_named(tmp_path: Path) -> None:
    """A person's word stands where no mark says otherwise; one that does not exist is refused."""
    path = written(tmp_path / "x.txt", RIVER.encode("big5"))
    assert package.count_tokens(path, encoding="big5").things[0].notes == ()
    broken = package.count_tokens(path, encoding="ascii").things[0]
    assert "places are not ascii" in broken.notes[0]
    for encoding in ("big6", "base64", ""):
        with pytest.raises(UserError, match="is not an encoding"):
            package.count_tokens(path, encoding=encoding)


def test_which_word_on_the_encoding_counts() -> None:
    """A mark above a person, a person above UTF-8, UTF-8 above what a page's head still says, unless the page is plain so far."""
    chinese = RIVER.encode()
    assert encoding_of(b"\xef\xbb\xbf" + chinese, "x", True, "big5", "gb18030").name == "utf-8-sig"
    assert encoding_of(chinese, "x", True, "big5", "gb18030").name == "big5"
    assert encoding_of(chinese, "x", True, "", "gb18030").name == "utf-8"
    assert encoding_of(b"plain", "x", False, "", "gb18030").name == "gb18030"
    assert encoding_of(RIVER.encode("big5"), "x", True, "", "big5") == Encoding("big5")


def test_an_unknown_encoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named and left out, with the rest still counted; so it is without the package that tells encodings."""
    written(tmp_path / "noise.txt", bytes([0x81, 0xFF, 0xFE, 0x80]) * 500)
    written(tmp_path / "good.txt", ENGLISH)
    found = package.count_tokens(tmp_path)
    assert (names(found), [one.message for one in found.skipped]) == (
        ["good.txt"],
        [f"The encoding of {tmp_path}/noise.txt cannot be told."],
    )
    monkeypatch.setitem(__import__("sys").modules, "charset_normalizer", None)
    with pytest.raises(Unavailable, match="is not UTF-8"):
        encoding_of(RIVER.encode("big5"), "x", True)


def test_a_character_at_the_end_of_a_sample() -> None:
    """What is cut in the middle of a character is UTF-8 still, unless there is no more."""
    half = "泥".encode()[:2]
    assert encoding_of(b"mud " + half, "x", whole=False).name == "utf-8"
    assert not is_binary("\ufeffHello".encode("utf-16-le"))
    assert is_binary(b"a\0b")


PAGE = """<!doctype html><html><head><title>T</title><style>p {x: y}</style><script>if (a < b) c("<p>no</p>")</script></head>
<body><nav>Menu</nav><h1>River</h1><p>Some <b>fine</b> mud&nbsp;&amp; sand<p>more<!-- not this --><br>end</body></html>"""
WORDS = "Menu\nRiver\nSome fine mud & sand\nmore\nend"


def test_the_words_of_a_web_page() -> None:
    """What a reader sees, in whatever portions it comes."""
    assert "".join(web_page.words([PAGE])) == WORDS
    for seed in range(20):
        cut = sorted(random.Random(seed).sample(range(len(PAGE)), 5))
        portions = [PAGE[a:b] for a, b in zip([0, *cut], [*cut, len(PAGE)], strict=True)]
        assert "".join(web_page.words(portions)) == WORDS


@pytest.mark.parametrize("start", ["<", "<a ", "<!--", "&", "<div>", "<?", "<a b='", "<![CDATA[", "&#x", "</", "<script>"])
def test_pages_that_mean_harm(start: str) -> None:
    """Beginnings without ends, hundreds of thousands of them: each is read about once, and nothing of it is markup."""
    page = start * (600_000 // len(start))
    calls = 0
    for said in web_page.words(page[at : at + 100_000] for at in range(0, len(page), 100_000)):
        calls += len(said)
    assert calls <= len(page)


def test_a_picture_within_a_tag() -> None:
    """A tag of megabytes is no text."""
    page = f'<p>mud<img src="data:image/png;base64,{"A" * 3_000_000}">sand</p>'
    assert "".join(web_page.words(page[at : at + 100_000] for at in range(0, len(page), 100_000))) == "mudsand"


def test_web_pages(tmp_path: Path) -> None:
    """Saved as .html in an encoding of its own, or as an archive; counted as it is written when asked so."""
    page = PAGE.replace("<title>", '<meta charset="big5"><title>').replace("River", RIVER)
    plain = written(tmp_path / "a.html", page.encode("big5"))
    archive = b"From: <Saved>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=x\r\n\r\n--x\r\n"
    archive += b"Content-Type: text/html; charset=big5\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + page.encode("big5") + b"\r\n--x--\r\n"
    saved = written(tmp_path / "b.mhtml", archive)
    found = package.count_tokens([plain, saved])
    assert [(thing.kind, thing.characters) for thing in found.things] == [("page", len(WORDS) - 5 + len(RIVER))] * 2
    raw = package.count_tokens(plain, raw=True, encoding="big5").things[0]
    assert (raw.kind, raw.characters) == ("text", len(page))


def node(text: str, parent: str | None, *children: str) -> dict[str, object]:
    return {"message": {"content": {"content_type": "text", "parts": [text]}}, "parent": parent, "children": list(children)}


CHATS = {
    "messages.jsonl": '{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}], "title": "no"}\n' * 2,
    "share.json": json.dumps([{"id": "1", "conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}] * 2, indent=1),
    "list.json": json.dumps([{"role": "user", "content": "q"}, {"role": "assistant", "content": [{"type": "text", "text": "a"}]}] * 2),
    "conversations.json": json.dumps([
        {
            "title": "no",
            "current_node": "c",
            "mapping": {"r": {"message": None, "parent": None}, "a": node("q", "r", "b", "c"), "b": node("old", "a"), "c": node("a", "a")},
        },
        {"mapping": {"a": node("q", "b", "b"), "b": node("a", "a", "a")}, "current_node": "b"},
    ]),
}  # fmt: skip


@pytest.mark.parametrize("name", CHATS)
def test_chats(tmp_path: Path, name: str) -> None:
    """Four turns of one character in every export: of ChatGPT's tree the branch that is shown, once round a ring."""
    thing = package.count_tokens(written(tmp_path / name, CHATS[name])).things[0]
    assert (thing.kind, thing.turns, thing.characters) == ("chat", 4, 8)


def test_json_that_is_no_chat(tmp_path: Path) -> None:
    """Settings are text, with or without comments; what begins as a chat and is broken is counted as it is written, and that is said."""
    written(tmp_path / "tsconfig.json", '{// a comment\n "strict": true}')
    written(tmp_path / "words.json", '{"messages": {"role": "Role", "content": "Content"}}')
    written(tmp_path / "index.json", '{"mapping": {"a": {"type": "message"}}, "conversations": [{"id": 1}]}')
    chat = written(tmp_path / "chat.json", '{"messages": [{"role": "user", "content": ')
    found = package.count_tokens(tmp_path)
    assert (names(found), found.skipped) == (["chat.json", "index.json", "tsconfig.json", "words.json"], [])
    assert [thing.kind for thing in found.things] == ["text"] * 4
    assert (found.things[0].characters, found.things[0].notes) == (
        chat.stat().st_size,
        ("It looks like a chat but is not whole JSON, and is counted as it is written.",),
    )


MEDIA = [
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 5000}},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 5000}},
    {"type": "input_audio", "input_audio": {"data": "A" * 5000, "format": "wav"}},
    {"type": "file", "file": {"file_data": "A" * 5000}},
    {"inline_data": {"mime_type": "image/png", "data": "A" * 5000}},
]


@pytest.mark.parametrize("part", MEDIA)
def test_pictures_in_a_chat(tmp_path: Path, part: dict[str, object]) -> None:
    """Bytes of a picture or recording are no text; how many there are is told."""
    content = [{"type": "text", "text": "mud"}, part, part]
    path = written(tmp_path / "chat.json", json.dumps({"messages": [{"role": "user", "content": content}]}))
    thing = package.count_tokens(path).things[0]
    assert (thing.characters, thing.notes) == (len("mud\n"), ("Pictures, recordings and files in it are not counted: 2.",))


def test_nothing_to_count(tmp_path: Path) -> None:
    """A folder of links, a model that does not hear, no name at all: refused with the reason instead of 0 tokens that fit."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link").symlink_to(".")
    with pytest.raises(SizeupError, match="There is nothing to count in"):
        package.count_tokens(tmp_path / "folder")
    with pytest.raises(SizeupError, match="without a name"):
        package.count_tokens("")
    sound = written(tmp_path / "sound.wav", wave(seconds=3))
    with pytest.raises(SizeupError, match="takes no sound") as error:
        package.count_tokens(sound, "qwen2.5vl:7b")
    assert error.value.exit_code == 4
    text = written(tmp_path / "text.txt", ENGLISH)
    found = package.count_tokens([sound, text], "qwen2.5vl:7b")
    assert ([Path(thing.path).name for thing in found.known], found.exact) == (["text.txt"], False)


@pytest.mark.parametrize("pace", [0, -1, float("nan")])
def test_no_frames(tmp_path: Path, pace: float) -> None:
    """No frame of a film is not its own pace."""
    with pytest.raises(UserError, match="nothing of a film is seen"):
        package.count_tokens(written(tmp_path / "x.txt", ENGLISH), frames_per_s=pace)


def wave(seconds: int) -> bytes:
    """Silence of one channel, 8,000 bytes a second."""
    data = bytes(8000 * seconds)
    head = struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVEfmt ", 16, 1, 1, 8000, 8000, 1, 8, b"data", len(data))
    return head + data


def archive(path: Path, parts: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return path


WORD = (
    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:p><w:r><w:t>River</w:t></w:r></w:p></w:document>'
)


def test_documents(tmp_path: Path) -> None:
    """The text of Word, PowerPoint, OpenDocument and e-books."""
    slide = WORD.replace("w:", "a:").replace("xmlns:w", "xmlns:a")
    paths = [
        archive(tmp_path / "a.docx", {"word/document.xml": WORD, "word/media/image1.png": b"\x89PNG"}),
        archive(tmp_path / "b.pptx", {"ppt/slides/slide1.xml": slide}),
        archive(tmp_path / "c.odt", {"content.xml": WORD}),
        archive(tmp_path / "d.epub", {"OEBPS/1.xhtml": "<html><body><p>River</p></body></html>"}),
    ]
    found = package.count_tokens(paths)
    assert [(thing.kind, thing.characters) for thing in found.things] == [("document", 6)] * 4


def test_documents_that_mean_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bomb, entities, an archive without a document, half an archive: one sentence each."""
    monkeypatch.setattr(document, "MOST_BYTES", 1 << 20)
    bomb = archive(tmp_path / "bomb.docx", {"word/document.xml": WORD.replace("River", "a" * (4 << 20))})
    entities = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
    laughs = archive(tmp_path / "laughs.odt", {"content.xml": entities})
    none = archive(tmp_path / "none.docx", {"a": "b"})
    half = written(tmp_path / "half.docx", bomb.read_bytes()[:100])
    for path, said in ((bomb, "unpacks to more"), (laughs, "declares entities"), (none, "not a document"), (half, "not a document")):
        with pytest.raises(SizeupError, match=said):
            package.count_tokens(path)
