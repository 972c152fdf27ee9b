"""Files of the site compressed at build time, since not every server does that; web/boot/line.mjs unpacks them."""

from __future__ import annotations

import gzip
from pathlib import Path

SUFFIX = ".gz"


def write(content: bytes, path: Path) -> Path:
    """Write a file's content compressed, byte for byte the same each time, beside where it would be.

    Returns:
        The path, which has one suffix more.
    """
    target = path.with_name(path.name + SUFFIX)
    target.write_bytes(gzip.compress(content, 9, mtime=0))
    return target


def content(path: Path) -> bytes:
    """Return a file's content, unpacked if it was compressed."""
    found = path.read_bytes()
    return gzip.decompress(found) if path.suffix == SUFFIX else found
