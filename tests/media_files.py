"""Media made for tests and benchmarks: PDFs by hand, pictures as bare headers, sound and films by FFmpeg. Small, and alike each time."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any


def pdf(path: Path, texts: Sequence[str], size: tuple[float, float] = (595, 842), extra: str = "") -> Path:
    """A PDF of one page a text, Helvetica 9, each line of a text a line; `extra` stands in every page's dictionary."""
    objects = ["<</Type/Catalog/Pages 2 0 R>>", "", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    kids = []
    for text in texts:
        lines = " ".join(f"({_escaped(line)}) '" for line in text.split("\n")) if text else ""
        stream = f"BT /F 9 Tf 10 TL 40 800 Td {lines} ET"
        kids.append(f"{len(objects) + 1} 0 R")
        box = f"/MediaBox[0 0 {size[0]} {size[1]}]{extra}"
        objects.append(f"<</Type/Page/Parent 2 0 R{box}/Resources<</Font<</F 3 0 R>>>>/Contents {len(objects) + 2} 0 R>>")
        objects.append(f"<</Length {len(stream)}>>stream\n{stream}\nendstream")
    objects[1] = f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(kids)}]>>"
    out, starts = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, 1):
        starts.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
    table = "".join(f"{start:010d} 00000 n \n" for start in starts)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    out += f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{out.rindex(b'xref')}\n%%EOF\n".encode()
    path.write_bytes(out)
    return path


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


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
