"""Media made for tests and benchmarks: PDFs by hand, pictures as bare headers, sound and films by FFmpeg. Small, and alike each time."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

HELVETICA = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
MING = (
    "<</Type/Font/Subtype/Type0/BaseFont/MSung-Light/Encoding/UniCNS-UTF16-H/DescendantFonts[<</Type/Font/Subtype/CIDFontType0"
    "/BaseFont/MSung-Light/CIDSystemInfo<</Registry(Adobe)/Ordering(CNS1)/Supplement 0>>/DW 1000/FontDescriptor<</Type/FontDescriptor"
    "/FontName/MSung-Light/Flags 4/FontBBox[0 -200 1000 900]/ItalicAngle 0/Ascent 800/Descent -200/CapHeight 800/StemV 80>>>>]>>"
)
"""A font that readers of PDFs bring along, by Adobe's names for Chinese."""


def pdf(path: Path, texts: Sequence[str], size: tuple[float, float] = (595, 842), extra: str = "") -> Path:
    """A PDF of one page a text, a line for each of its lines; `extra` stands in every page's dictionary."""
    path.write_bytes(pdf_bytes(texts, size, extra))
    return path


def pdf_bytes(texts: Sequence[str], size: tuple[float, float] = (595, 842), extra: str = "") -> bytes:
    objects = ["<</Type/Catalog/Pages 2 0 R>>", "", HELVETICA, MING]
    kids = []
    for text in texts:
        lines = " ".join(_shown(line) for line in text.split("\n")) if text else ""
        stream = f"BT 12 TL 40 800 Td {lines} ET"
        kids.append(f"{len(objects) + 1} 0 R")
        box = f"/MediaBox[0 0 {size[0]} {size[1]}]{extra}"
        objects.append(f"<</Type/Page/Parent 2 0 R{box}/Resources<</Font<</F 3 0 R/C 4 0 R>>>>/Contents {len(objects) + 2} 0 R>>")
        objects.append(f"<</Length {len(stream)}>>stream\n{stream}\nendstream")
    objects[1] = f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(kids)}]>>"
    out, starts = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, 1):
        starts.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n".encode("ascii")
    table = "".join(f"{start:010d} 00000 n \n" for start in starts)
    end = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    out += f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{end}\n%%EOF\n".encode()
    return bytes(out)


def _shown(line: str) -> str:
    """A line as a PDF shows it: in Helvetica, or in the Chinese font where it is not all ASCII."""
    if line.isascii():
        escaped = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        return f"/F 9 Tf ({escaped}) '"
    return f"/C 9 Tf <{line.encode('utf-16-be').hex()}> '"


WORDS = """the of a to in is that for with as on by this at from or which an each when where
memory model token page layer cache weight bytes speed answer question reader machine number table figure result measure second
first large small long short fast slow read write keep show"""


def report(path: Path, pages: int) -> Path:
    """A report of so many pages, 45 lines of at most 80 characters on each: alike each time."""
    dice = random.Random(pages)
    return pdf(path, ["\n".join(_line(dice) for _ in range(45)) for _ in range(pages)])


def _line(dice: random.Random) -> str:
    line = " ".join(dice.choices(WORDS.split(), k=16)).capitalize()
    return line[: line.rfind(" ", 0, 80)] + "."


def spread(film: Path, path: Path, size: int) -> Path:
    """The same MP4 film behind so many bytes of nothing (less than 4 GiB), as a large one whose header stands at its end. Takes no disk."""
    boxes, content, at = {}, film.read_bytes(), 0
    while at < len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        boxes[content[at + 4 : at + 8]] = at, content[at : at + length]
        at += length
    (_, start), (was, frames), (_, header) = (boxes[name] for name in (b"ftyp", b"mdat", b"moov"))
    # Where each piece of the film stands in the file.
    table = header.index(b"stco") + 12
    count = int.from_bytes(header[table - 4 : table], "big")
    places = struct.unpack(f">{count}I", header[table : table + 4 * count])
    moved = struct.pack(f">{count}I", *(place - was + len(start) + size for place in places))
    with path.open("wb") as file:
        file.write(start + struct.pack(">I4s", size, b"free"))
        file.seek(len(start) + size)
        file.write(frames + header[:table] + moved + header[table + 4 * count :])
    return path


def png(path: Path, width: int, height: int, orientation: int | None = None) -> Path:
    """The header of a PNG and none of its pixels."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    exif = (
        b""
        if orientation is None
        else chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">HHI", orientation, 0, 0))
    )
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + exif + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    return path


def gif(path: Path, width: int, height: int, frames: int) -> Path:
    """An animated GIF whose frames are one pixel on a canvas of this size."""
    frame = b"\x21\xf9\x04\0\x0a\0\0\0" + b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    path.write_bytes(b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6) + frame * frames + b";")
    return path


def film(
    path: Path, seconds: int, frames_per_s: int = 1, size: tuple[int, int] = (320, 180), sound: bool = False, streamed: bool = False
) -> Path:
    """A grey film, with silence where asked for. `streamed`: written as a live one, so that nothing says how long it is."""
    import av

    with path.open("wb") as file:
        target = _Pipe(file.write) if streamed else file
        with av.open(target, "w", format={".mkv": "matroska", ".mp4": "mp4"}[path.suffix]) as container:
            video = container.add_stream("mpeg4", rate=frames_per_s)
            video.width, video.height, video.pix_fmt = *size, "yuv420p"
            audio = container.add_stream("aac", rate=16000, layout="mono") if sound else None
            picture = av.VideoFrame(*size, "yuv420p")
            for plane in picture.planes:
                plane.update(bytes([128]) * plane.buffer_size)
            for number in range(seconds * frames_per_s):
                picture.pts, picture.time_base = number, Fraction(1, frames_per_s)
                container.mux(video.encode(picture))
            container.mux(video.encode())
            if audio is not None:
                for start in range(0, seconds * 16000, 1024):
                    container.mux(audio.encode(_silence("fltp", start)))
                container.mux(audio.encode())
    return path


def recording(path: Path, seconds: int, codec: str, format: str) -> Path:
    """Silence at 16 kHz."""
    import av

    with av.open(str(path), "w", format=format) as container:
        audio = container.add_stream(codec, rate=16000, layout="mono")
        for start in range(0, seconds * 16000, 1024):
            container.mux(audio.encode(_silence("s16" if codec.startswith(("pcm", "flac")) else "fltp", start)))
        container.mux(audio.encode())
    return path


class _Pipe:
    """A file that cannot be gone back in."""

    def __init__(self, write: object) -> None:
        self.write = write


def _silence(format: str, start: int) -> Any:
    import av

    frame = av.AudioFrame(format=format, layout="mono", samples=1024)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.sample_rate, frame.pts, frame.time_base = 16000, start, Fraction(1, 16000)
    return frame
