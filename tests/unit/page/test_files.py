"""Files beside the notes, as the page adds and reads them; the numbers are invariants of app/transfers.py."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from app.notes.files import LONGEST_NAME
from app.transfers import LENT, MOST_READERS, PART

from tests.unit.page.devices import Device

BASE = 1_700_000_000_000_000
SIZE = 3 * PART + 17


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    """What is in a file that is lent as "key"."""
    found = hashlib.shake_256(b"file").digest(SIZE)
    (tmp_path / "file").write_bytes(found)
    LENT["key"] = tmp_path / "file"
    yield found  # type: ignore[misc]
    LENT.clear()


async def _add(device: Device, name: str = "a.png", media_type: str = "image/png", created: int = BASE):  # type: ignore[no-untyped-def]
    return await device.ask("add_file", key="key", called=name, media_type=media_type, created=created)


async def test_a_file_is_listed_among_the_notes_and_read_in_parts(device: Device, content: bytes) -> None:
    """1."""
    await device.ask("create_note", text="before", created=BASE - 1)
    file = await _add(device)
    assert (file["kind"], file["text"], file["type"], file["size"]) == ("file", "a.png", "image/png", SIZE)
    assert await _add(device) == file  # a call that is repeated
    await device.ask("create_note", text="after", created=BASE + 1)
    listed = (await device.ask("notes", limit=5))["notes"]
    assert [one["text"] for one in listed] == ["after", "a.png", "before"]
    assert (await device.ask("notes", limit=2))["more"] is True
    assert await device.ask("note", id=file["id"]) == file
    read = b""
    while len(read) < SIZE:
        answer = await device.ask("read_file", id=file["id"], key="r", at=len(read))
        part = base64.b64decode(answer["part"])
        assert 0 < len(part) <= PART and answer["size"] == SIZE
        read += part
    assert read == content
    later = await device.ask("read_file", id=file["id"], key="another", at=PART + 5)
    assert base64.b64decode(later["part"]) == content[PART + 5 : 2 * PART + 5]


async def test_who_reads_many_files_at_a_time_goes_on_anew(device: Device, content: bytes) -> None:
    file = await _add(device)
    for number in range(MOST_READERS + 2):
        await device.ask("read_file", id=file["id"], key=str(number), at=0)
    assert len(device.session.files._reading._readers) == MOST_READERS
    answer = await device.ask("read_file", id=file["id"], key="0", at=PART)
    assert base64.b64decode(answer["part"]) == content[PART : 2 * PART]


async def test_a_file_that_is_stopped_leaves_nothing(device: Device) -> None:
    """2."""
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            begun.set()
            yield bytes(1000)
            await asyncio.sleep(0)

    LENT["key"] = endless
    adding = asyncio.ensure_future(_add(device))
    await begun.wait()
    await device.ask("stop_file", key="key")
    assert await adding is None
    await device.ask("stop_file", key="key")  # there is none any more
    assert (await device.ask("notes", limit=5))["notes"] == []
    LENT.clear()
    assert await _add(device) == "InvalidArgument"


@pytest.mark.parametrize(
    ("name", "media_type", "kept"),
    [
        ("x" * 5000, "", ("x" * LONGEST_NAME, "application/octet-stream")),
        ("", "no type", ("", "application/octet-stream")),
        ("<b>.html", "TEXT/HTML", ("<b>.html", "text/html")),
    ],
)
async def test_names_and_types_are_bounded(
    device: Device, content: bytes, name: str, media_type: str, kept: tuple[str, str]
) -> None:
    file = await _add(device, name, media_type)
    assert (file["text"], file["type"]) == kept
    assert "<b>" not in file["html"]


async def test_a_file_is_found_by_its_name_published_and_deleted_as_a_note(device: Device, content: bytes) -> None:
    file = await _add(device, "Receipt March.pdf", "application/pdf")
    while not (found := await device.ask("notes", limit=5, find="receipt"))["complete"]:
        await device.posted.get()
    assert [one["id"] for one in found["notes"]] == [file["id"]]
    assert (await device.ask("publish_note", id=file["id"], published=True))["published"] is True
    assert await device.ask("update_note", id=file["id"], text="no text") == "NotFound"
    note = await device.ask("create_note", text="a note", created=BASE + 9)
    assert await device.ask("read_file", id=note["id"], key="r", at=0) == "NotFound"
    assert await device.ask("read_file", id=file["id"], key="r", at=SIZE + 1) == "InvalidArgument"
    await device.ask("delete_note", id=file["id"])
    assert await device.ask("note", id=file["id"]) == "NotFound"
