import asyncio
import errno
import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from web5.cpython.blobs import FileBlobs
from web5.errors import BlobMissing, StorageError, StorageFull


async def chunks(*pieces: bytes):
    for piece in pieces:
        yield piece


async def collect(blobs: FileBlobs, key: str) -> bytes:
    return b"".join([chunk async for chunk in blobs.get(key)])


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_large_blob_comes_back_in_bounded_chunks(tmp_path: Path):
    blobs = FileBlobs(tmp_path)
    pieces = [bytes([n]) * 300_001 for n in range(20)]
    assert await blobs.put("large", chunks(*pieces)) == 20 * 300_001
    got = [chunk async for chunk in blobs.get("large")]
    assert b"".join(got) == b"".join(pieces)
    assert max(map(len, got)) <= 256 * 1024


@pytest.mark.parametrize("key", ["", ".", "..", "a/b", "../../etc/passwd", "ä ö", "CON", "x%2Fy", "a\0b"])
async def test_any_key_is_a_name_inside_the_folder(tmp_path: Path, key: str):
    blobs = FileBlobs(tmp_path / "blobs")
    await blobs.put(key, chunks(b"inside"))
    assert await collect(blobs, key) == b"inside"
    assert await blobs.keys() == {key}
    assert all(path.is_relative_to(tmp_path / "blobs") for path in files_under(tmp_path))


async def test_source_that_fails_leaves_nothing(tmp_path: Path):
    async def broken():
        yield b"x" * 2_000_000
        raise RuntimeError("the sender went away")

    blobs = FileBlobs(tmp_path)
    with pytest.raises(RuntimeError, match="went away"):
        await blobs.put("key", broken())
    assert await blobs.keys() == set()
    assert files_under(tmp_path) == []


async def test_cancelled_put_leaves_nothing(tmp_path: Path):
    started = asyncio.Event()

    async def endless():
        while True:
            yield b"x" * 1_100_000
            started.set()

    blobs = FileBlobs(tmp_path)
    task = asyncio.ensure_future(blobs.put("key", endless()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files_under(tmp_path) == []


async def test_what_a_crash_left_is_removed_on_opening(tmp_path: Path):
    (tmp_path / "partial").mkdir()
    (tmp_path / "partial" / "half").write_bytes(b"half a blob")
    blobs = FileBlobs(tmp_path)
    assert await blobs.keys() == set()
    assert list((tmp_path / "partial").iterdir()) == []


async def test_missing_blob(tmp_path: Path):
    with pytest.raises(BlobMissing, match="'nowhere'"):
        await collect(FileBlobs(tmp_path), "nowhere")


async def test_full_disk_is_storage_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def no_room(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    blobs = FileBlobs(tmp_path)
    with monkeypatch.context() as patch, pytest.raises(StorageFull, match="No space left"):
        patch.setattr("os.fsync", no_room)
        await blobs.put("key", chunks(b"x"))
    assert await blobs.keys() == set()


async def test_folder_that_is_a_file(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        FileBlobs(tmp_path / "file")


async def test_closed_store_refuses(tmp_path: Path):
    blobs = FileBlobs(tmp_path)
    await blobs.close()
    await blobs.close()
    with pytest.raises(StorageError, match="closed"):
        await blobs.keys()


async def test_after_close_nothing_of_a_put_is_under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    blobs, begun, gate = FileBlobs(tmp_path), threading.Event(), threading.Event()

    def slow(file: BinaryIO, piece: bytes) -> None:
        begun.set()
        gate.wait()

    async def endless():
        while True:
            yield b"x" * 1_100_000

    monkeypatch.setattr("web5.cpython.blobs._write_all", slow)
    putting = asyncio.ensure_future(blobs.put("key", endless()))
    await asyncio.to_thread(begun.wait)
    closing = asyncio.ensure_future(blobs.close())
    await asyncio.to_thread(lambda: None)
    ended_early = closing.done()
    gate.set()
    await closing
    assert not ended_early
    with pytest.raises(StorageError, match="closed"):
        await putting
    assert files_under(tmp_path) == []
