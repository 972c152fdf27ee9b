"""Search over the text of all notes; the numbers are invariants of app/notes/note_search.py."""

from __future__ import annotations

from typing import Any

from app.notes import note_search

from tests.unit.page.devices import Device

BASE = 1_700_000_000_000_000


async def _found(device: Device, words: str, tag: str = "", limit: int = 50) -> dict[str, Any]:
    """What is found once all texts are read."""
    while not (found := await device.ask("notes", limit=limit, find=words, tag=tag))["complete"]:
        await device.posted.get()
    return {**found, "texts": [note["text"] for note in found["notes"]]}


async def _until(device: Device, words: str, texts: list[str]) -> None:
    """Wait until exactly these are found."""
    while (await _found(device, words))["texts"] != texts:
        await device.posted.get()


async def test_all_words_are_found_in_any_order_and_case_the_newest_first(device: Device) -> None:
    for number, text in enumerate(["Stra\u00dfe nach Bern", "bern, STRASSE", "Bern #stadt", "Basel #staat"]):
        await device.ask("create_note", text=text, created=BASE + number)
    found = await _found(device, " strasse  BERN ")
    assert (found["texts"], found["searched"], found["more"]) == (["bern, STRASSE", "Stra\u00dfe nach Bern"], 4, False)
    assert (await _found(device, "#sta"))["texts"] == ["Basel #staat", "Bern #stadt"]
    assert (await _found(device, "b", tag="stadt"))["texts"] == ["Bern #stadt"]
    assert (await _found(device, "bern", limit=1))["more"] is True
    assert (await _found(device, "nowhere"))["texts"] == []
    assert sorted(await device.ask("note_tags")) == [["staat", 1], ["stadt", 1]]


async def test_what_changes_is_found_as_it_is(device: Device) -> None:
    note = await device.ask("create_note", text="the first wording", created=BASE)
    await _until(device, "wording", ["the first wording"])
    await device.ask("update_note", id=note["id"], text="another wording")
    await _until(device, "wording", ["another wording"])
    await _until(device, "first", [])
    await device.ask("create_note", text="one more wording", created=BASE + 1)
    await _until(device, "wording", ["one more wording", "another wording"])
    await device.ask("delete_note", id=note["id"])
    await _until(device, "wording", ["one more wording"])


async def test_a_text_beyond_the_excerpt_is_searched(device: Device) -> None:
    """2."""
    await device.ask("create_note", text="a " * 30_000 + "needle", created=BASE)
    assert len((await _found(device, "needle"))["notes"]) == 1
    await device.ask("create_note", text="a" * note_search.LONGEST + "pin", created=BASE + 1)
    assert (await _found(device, "pin"))["notes"] == []


async def test_a_search_of_many_notes_says_what_it_has_until_it_is_through(device: Device) -> None:
    """1."""
    many = 3 * note_search.PAGE
    for number in range(many):
        await device.ask("create_note", text=f"note {number}", created=BASE + number)
    first = await device.ask("notes", limit=5, find="note")
    assert (first["complete"], first["searched"]) == (False, 0)
    found = await _found(device, "note", limit=5)
    assert (found["searched"], found["more"]) == (many, True)
    assert found["texts"] == [f"note {many - 1 - number}" for number in range(5)]
    assert (await _found(device, "note 10", limit=100))["texts"][-1] == "note 10"


async def test_what_is_locked_is_forgotten(device: Device) -> None:
    await device.ask("create_note", text="a secret #tag", created=BASE)
    await _found(device, "secret")
    search = device.session.search
    await device.ask("change_password", old=None, new="a password")
    await device.ask("lock")
    await device.session._closing.join()
    assert search._known == {}
    assert await device.ask("notes", limit=5, find="secret") == "VaultLocked"
    await device.ask("unlock", password="a password")
    assert (await _found(device, "secret"))["texts"] == ["a secret #tag"]
