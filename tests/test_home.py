"""The data folder: made late, for its owner only, and every file in it whole at any moment."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from sizeup import home
from sizeup.errors import Unavailable
from sizeup.home import data_dir, write_atomically


def test_folder_is_the_given_one_and_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIZEUP_HOME names the folder; it is made on the first call with rights for its owner only."""
    monkeypatch.setenv("SIZEUP_HOME", str(tmp_path / "a" / "b"))
    assert not (tmp_path / "a").exists()
    assert tmp_path / "a" / "b" == data_dir()
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_folder_of_the_system_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without SIZEUP_HOME the system's place for user data is used, and its last part is ours."""
    monkeypatch.delenv("SIZEUP_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "sizeup" in data_dir().name
    assert tmp_path in data_dir().parents


def test_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the way is one sentence and a way out, not a traceback."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SIZEUP_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(Unavailable, match="cannot be made") as caught:
        data_dir()
    assert "SIZEUP_HOME" in caught.value.hint


def test_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure before the rename leaves the old content and no stray file."""
    path = tmp_path / "table.json"
    write_atomically(path, b"old")
    assert path.read_bytes() == b"old"

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="No space left"):
        write_atomically(path, b"new and longer")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["table.json"]


@pytest.mark.parametrize("place", [None, "", " ", "/somewhere"])
def test_the_folder_is_where_the_library_says(place: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The short way that Linux takes gives what platformdirs gives."""
    import platformdirs

    monkeypatch.delenv("SIZEUP_HOME")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    if place is not None:
        monkeypatch.setenv("XDG_DATA_HOME", place)
    assert str(home._folder()) == platformdirs.user_data_dir("sizeup", appauthor=False)
