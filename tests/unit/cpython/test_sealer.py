"""Secrets at rest on CPython."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from web5.cpython.sealer import FileSealer
from web5.errors import CryptoError, StorageFull


async def test_only_the_same_key_file_opens(tmp_path: Path) -> None:
    sealed = await FileSealer(tmp_path / "a" / "key").seal(b"secret")
    assert b"secret" not in sealed
    assert await FileSealer(tmp_path / "a" / "key").open(sealed) == b"secret"
    with pytest.raises(CryptoError):
        await FileSealer(tmp_path / "b" / "key").open(sealed)


async def test_the_key_is_its_owners_alone_and_nothing_else_stays(tmp_path: Path) -> None:
    await FileSealer(tmp_path / "key").seal(b"")
    assert os.listdir(tmp_path) == ["key"]
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


async def test_every_change_is_noticed(tmp_path: Path) -> None:
    sealer = FileSealer(tmp_path / "key")
    sealed = await sealer.seal(b"secret")
    for changed in (
        sealed[:-1],
        sealed + b"\0",
        b"\0" + sealed[1:] if sealed[0] else b"\1" + sealed[1:],
        b"",
        sealed[:5],
    ):
        with pytest.raises(CryptoError):
            await sealer.open(changed)


async def test_equal_secrets_look_different(tmp_path: Path) -> None:
    sealer = FileSealer(tmp_path / "key")
    assert len({await sealer.seal(b"secret") for _ in range(20)}) == 20


async def test_a_damaged_key_file_is_told_and_kept(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(CryptoError, match="not a key file"):
        await FileSealer(tmp_path / "key").seal(b"x")
    assert (tmp_path / "key").read_bytes() == b"short"


async def test_sealers_that_start_together_share_one_key(tmp_path: Path) -> None:
    sealers = [FileSealer(tmp_path / "key") for _ in range(8)]
    sealed = await asyncio.gather(*(asyncio.to_thread(asyncio.run, sealer.seal(b"x")) for sealer in sealers))
    assert [await sealers[0].open(one) for one in sealed] == [b"x"] * 8


async def test_no_room_for_the_key_is_storage_full_and_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(StorageFull, match="No space left"):
        patch.setattr("os.fsync", no_room)
        await FileSealer(tmp_path / "key").seal(b"secret")
    assert os.listdir(tmp_path) == []
    sealed = await FileSealer(tmp_path / "key").seal(b"secret")
    assert await FileSealer(tmp_path / "key").open(sealed) == b"secret"
