"""Recordings and films, by their headers (FFmpeg through PyAV): seconds, pixels, frames per second, sound. Nothing is decoded.

Not counted: that a player turns the film (the display matrix of films from phones); its pixels are those stored.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sizeup.errors import Unavailable, Unreadable
from sizeup.units import show_bytes

from .medium import Film, Recording

DEMUXERS = "aac,ac3,aiff,amr,ape,asf,avi,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,mpegvideo,ogg,tta,wav,w64,wv"
"""Formats that FFmpeg may take a file for. Not playlists and lists of files: those would open others, here or in the network."""

READ_BYTES = 32 << 20
"""How much of a file without a duration is read for the times of its packets."""


def look_film(path: Path) -> Recording | Film:
    """A film, or a recording when there is no picture but a cover in it."""
    try:
        import av
    except ImportError:
        raise Unavailable(
            "Recordings and films are read by the package av, which is not installed.", 'pip install ".[tokens]" in the folder of sizeup'
        ) from None
    try:
        with av.open(str(path.absolute()), options={"format_whitelist": DEMUXERS, "protocol_whitelist": "file"}) as container:
            return _described(path, container)
    except (av.FFmpegError, OSError, ValueError):
        raise Unreadable(
            f"{path} is not a recording or film that can be read: it is broken or of an unknown format.", "an MP4, MKV, MP3 or WAV file"
        ) from None


def _described(path: Path, container: Any) -> Recording | Film:
    films = [stream for stream in container.streams.video if "attached_pic" not in (stream.disposition.name or "")]
    sounds = container.streams.audio
    if not films and not sounds:
        raise Unreadable(f"{path} holds neither sound nor film.", "an MP4, MKV, MP3 or WAV file")
    seconds, notes = _seconds(container)
    # A stream of a codec that this FFmpeg does not know has no context.
    heard = sounds[0].codec_context if sounds else None
    rate = getattr(heard, "sample_rate", None) or None
    if not films:
        return Recording(path=path, seconds=seconds, sample_rate=rate, channels=getattr(heard, "channels", None) or None, notes=notes)
    film = films[0]
    width, height = (getattr(film.codec_context, side, 0) for side in ("width", "height"))
    if not width or not height:
        raise Unreadable(f"{path} does not say how many pixels its film has.", "an MP4 or MKV file")
    per_s = film.average_rate or film.guessed_rate
    return Film(
        path=path,
        seconds=seconds,
        width=width,
        height=height,
        frames_per_s=float(per_s) if per_s else None,
        has_audio=bool(sounds),
        sample_rate=rate,
        notes=notes,
    )


def _seconds(container: Any) -> tuple[float | None, tuple[str, ...]]:
    """Seconds, and what is to be said of them. FFmpeg's own guess by the bit rate is taken for MP3 (as players do), not for bare AAC."""
    if container.duration is not None and container.duration > 0 and container.format.name != "aac":
        return container.duration / 1_000_000, ()
    end, place = _last_packet(container)
    if not end:
        return None, ("It does not say how long it is, and holds nothing that tells.",)
    if place is None:
        return end, ("It does not say how long it is: counted from its packets.",)
    return end * container.size / place, (f"It does not say how long it is: estimated from its first {show_bytes(READ_BYTES)}.",)


def _last_packet(container: Any) -> tuple[float, int | None]:
    """The latest end of any packet in seconds; and where in the file that was, when reading stopped before its end."""
    end, place = 0.0, 0
    for packet in container.demux():
        if packet.pts is not None and packet.time_base is not None:
            end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        place = max(place, packet.pos or 0)
        if place > READ_BYTES:
            return end, place
    return end, None
