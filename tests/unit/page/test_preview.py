"""The copy of the newest notes; the numbers are invariants of app/notes/preview.py, and the fifth of app/session.py."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from app.notes.preview import LONGEST, NEWEST, Preview, packed

from tests.unit.conftest import World
from tests.unit.page.devices import Device

MOMENT = 1_700_000_000_000_000


async def _opened(world: World) -> Device:
    device = Device(await world.blank_device("laptop"), world.endpoints)
    await device.session.open()
    return device


async def _copied(device: Device) -> list[str]:
    """The texts of the copy once it is the next time another one."""
    while (text := await device.shown_first.kept.get()) is None:
        pass
    return [note["text"] for note in json.loads(text)]


async def test_it_has_the_newest_notes_of_the_identity_in_use(world: World) -> None:
    device = await _opened(world)
    for number in range(NEWEST + 1):
        await device.ask("create_note", text=f"note {number}", created=MOMENT + number)
    newest = [f"note {number}" for number in range(NEWEST, 0, -1)]
    while await _copied(device) != newest:
        pass
    first = (await device.ask("state"))["did"]
    other = await device.ask("create_identity", called="other", known=[first])
    await device.ask("choose_identity", did=other)
    assert device.shown_first.text is None
    assert await _copied(device) == []
    await device.ask("choose_identity", did=first)
    assert await _copied(device) == newest


async def test_there_is_none_where_a_password_opens_the_vault(world: World) -> None:
    device = await _opened(world)
    await device.ask("create_note", text="mine", created=MOMENT)
    while await _copied(device) != ["mine"]:
        pass
    assert await device.ask("change_password", old="a wrong one", new="the first") == "VaultError"
    assert await _copied(device) == ["mine"]  # nothing was changed
    await device.ask("change_password", old=None, new="the first")
    assert device.shown_first.text is None
    await device.ask("create_note", text="guarded", created=MOMENT + 1)
    await device.session.preview.bring_up_to_date()
    assert device.shown_first.text is None
    await device.ask("lock")
    await device.ask("unlock", password="the first")
    await device.session.preview.bring_up_to_date()
    assert device.shown_first.text is None
    await device.ask("change_password", old="the first", new=None)
    assert await _copied(device) == ["guarded", "mine"]


async def test_one_that_is_kept_just_when_a_password_is_set_is_not_kept(world: World) -> None:
    device = await _opened(world)
    await device.ask("create_note", text="mine", created=MOMENT)
    keep = device.shown_first.keep

    async def late(text: str, still: Any) -> None:
        await device.ask("change_password", old=None, new="the first")
        await keep(text, still)

    device.shown_first.keep = late  # type: ignore[method-assign]
    await device.session.preview.bring_up_to_date()
    assert device.shown_first.text is None


async def test_a_recovery_leaves_nothing_of_what_was_there(world: World) -> None:
    device = await _opened(world)
    await device.ask("create_note", text="mine", created=MOMENT)
    await device.session.preview.bring_up_to_date()
    words = " ".join(await device.ask("words"))
    await device.ask("recover", words=words, password="the second")
    assert device.shown_first.text is None
    await device.session.preview.bring_up_to_date()
    assert device.shown_first.text is None


def test_a_copy_is_bounded_and_has_no_note_that_cannot_be_read() -> None:
    note = {"id": "a", "whole": True, "damaged": False, "edited": False, "modified": 1, "waiting": []}
    notes = [{**note, "text": "\0" * 4000, "html": ""} for _ in range(NEWEST)]
    text = packed(notes)
    assert 0 < len(json.loads(text)) < NEWEST
    assert len(text) <= LONGEST
    assert packed([{**note, "text": "", "html": "", "damaged": True}]) == "[]"


async def test_nothing_is_copied_while_it_is_erased_for_what_is_yet_to_change() -> None:  # 1
    erasing, erased, kept = asyncio.Event(), asyncio.Event(), []

    class Store:
        async def keep(self, text: str, still: Callable[[], bool]) -> None:
            if still():
                kept.append(text)

        async def erase(self) -> None:
            erasing.set()
            await erased.wait()

    async def newest(count: int) -> dict[str, Any]:
        return {"notes": []}

    preview = Preview(Store(), newest, lambda: "did:example:first")
    forgetting = asyncio.ensure_future(preview.forget())
    await erasing.wait()
    await preview.bring_up_to_date()
    assert kept == []
    erased.set()
    await forgetting
    await preview.bring_up_to_date()
    assert kept == ["[]"]
    await preview.close()
