"""ZIPs as they are written here are read here, and by `zipfile`."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from web5.archive import zip_writer
from web5.archive.local_files import LocalSink, open_sink, open_source
from web5.archive.zip_reader import open_zip
from web5.archive.zip_writer import ZipWriter
from web5.errors import InvalidArgument

FILES = {"a.json": b"{}" * 500, "b": bytes(range(256)) * 9000, "empty": b""}


async def chunks(content: bytes, fails_after: int | None = None) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 100_000):
        if fails_after is not None and start >= fails_after:
            raise RuntimeError("it was replaced")
        yield content[start : start + 100_000]


async def written(target: io.BytesIO) -> ZipWriter:
    writer = ZipWriter(LocalSink(target, None))
    await writer.add("a.json", FILES["a.json"])
    await writer.stream("b", chunks(FILES["b"]), len(FILES["b"]))
    await writer.stream("empty", chunks(b""), 0)
    return writer


@pytest.mark.parametrize("zip64_above", [0, 1 << 31])
async def test_what_is_written_is_read(monkeypatch: pytest.MonkeyPatch, zip64_above: int) -> None:
    monkeypatch.setattr(zip_writer, "_ZIP64_ABOVE", zip64_above)
    target = io.BytesIO()
    await (await written(target)).close()
    with zipfile.ZipFile(target) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == FILES
    reader = await open_zip(await open_source(target))
    assert reader.names == list(FILES)
    assert await reader.read("a.json", 1000) == FILES["a.json"]
    for name in ("b", "empty"):
        assert b"".join([chunk async for chunk in reader.stream(name)]) == FILES[name]
    again = io.BytesIO()
    await (await written(again)).close()
    assert again.getvalue() == target.getvalue()


async def test_a_file_that_broke_off_is_not_named() -> None:
    target = io.BytesIO()
    writer = await written(target)
    with pytest.raises(RuntimeError, match="replaced"):
        await writer.stream("c", chunks(FILES["b"], 500_000), len(FILES["b"]))
    await writer.stream("d", chunks(b"d"), 1)
    await writer.close()
    with zipfile.ZipFile(target) as archive:
        assert archive.namelist() == [*FILES, "d"]
        assert archive.testzip() is None
    reader = await open_zip(await open_source(target))
    assert await reader.read("d", 1) == b"d"


async def test_paths_where_nothing_can_be_read_or_written_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="nothing here"):
        await open_source(tmp_path / "nothing here")
    with pytest.raises(InvalidArgument, match="no folder"):
        await open_sink(tmp_path / "no folder" / "me.zip")
    for folder in (tmp_path,):
        with pytest.raises(InvalidArgument, match="directory"):
            await open_source(folder)
