"""A sweep on a Ray cluster. Needs ray[data] (requirements-ray.txt); skipped by name without it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sizeup.errors import Unavailable
from sizeup.sweep.executors import on_ray
from sizeup.sweep.run import sweep
from tests.test_sweep_tables import ASKED, CONFIGS, parquet


def test_without_ray_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One sentence and what to install, before a file is written."""
    import sys

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(Unavailable, match="Ray is not installed"):
        list(on_ray({"a": []}, None, tmp_path, "auto"))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.ray
@pytest.mark.filterwarnings("ignore")  # Ray's own, of its own settings
def test_a_cluster_writes_the_same_files(tmp_path: Path) -> None:
    """Byte for byte what one machine writes, manifest included; asked again, nothing is left to do."""
    pytest.importorskip("ray.data", reason="ray[data] is not installed")
    table = parquet(tmp_path / "models.parquet", {id: json.dumps(config) for id, config in CONFIGS.items()})
    here, there = tmp_path / "here", tmp_path / "there"
    sweep(str(table), here, **ASKED)
    sweep(str(table), there, **ASKED, ray="local")
    names = sorted(str(path.relative_to(here)) for path in here.rglob("*") if path.is_file())
    assert names == sorted(str(path.relative_to(there)) for path in there.rglob("*") if path.is_file())
    assert [name for name in names if (here / name).read_bytes() != (there / name).read_bytes()] == []
    again = sweep(str(table), there, **ASKED, ray="local")
    assert (again.groups, again.groups_kept) == (1, 1)
