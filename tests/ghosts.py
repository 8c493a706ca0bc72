"""The headers of published models, unpacked to the sparse files that the engine was given."""

from __future__ import annotations

import functools
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HEADERS = Path(__file__).parent / "data" / "ghost_headers"
NAMES = tuple(sorted(path.name.removesuffix(".head.z") for path in HEADERS.glob("*.head.z")))


def unpack(name: str, folder: Path) -> Path:
    """A sparse file with this model's true header and true size."""
    packed = (HEADERS / f"{name}.head.z").read_bytes()
    path = folder / f"{name}.gguf"
    with path.open("wb") as file:
        file.write(zlib.decompress(packed[8:]))
        file.truncate(struct.unpack("<Q", packed[:8])[0])
    return path


@dataclass(frozen=True)
class Ghost:
    """What the gguf package reads of one header: full metadata keys, and (name, shape, type) in file order."""

    metadata: dict[str, Any]
    tensors: tuple[tuple[str, tuple[int, ...], str], ...]

    def get(self, key: str, default: Any = None) -> Any:
        """A value under the architecture's prefix; the first one of a list."""
        value = self.metadata.get(f"{self.metadata['general.architecture']}.{key}", default)
        return value[0] if isinstance(value, list) else value


@functools.cache
def ghost(name: str) -> Ghost:
    """One header as the gguf package reads it."""
    import tempfile

    from gguf import GGUFReader

    with tempfile.TemporaryDirectory() as folder:
        reader = GGUFReader(str(unpack(name, Path(folder))))
        metadata = {key: field.contents() for key, field in reader.fields.items()}
        tensors = tuple((t.name, tuple(map(int, t.shape)), t.tensor_type.name) for t in reader.tensors)
    return Ghost(metadata, tensors)
