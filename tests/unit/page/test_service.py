"""The notes service on a real agent, its store a file."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from app.change_notifier import INTERVAL, ChangeNotifier
from app.notes import versions
from app.notes.note_shape import EXCERPT
from app.service import Service, answer

from tests.unit.conftest import World
from tests.unit.page.devices import Device, ask
from web5.dwn.store.durable.health import Ill
from web5.platform import open_agent

BASE = 1_700_000_000_000_000
"""A moment, in microseconds."""


@pytest.fixture
def service(device: Device) -> Service:
    return device.service


async def test_a_note_from_creation_to_deletion(service: Service) -> None:
    note = (await ask(service, "create_note", text="One", created=BASE))["ok"]
    assert note["text"] == "One" and note["whole"] and note["created"] == BASE // 1000 == note["modified"]
    edited = (await ask(service, "update_note", id=note["id"], text="Two"))["ok"]
    assert edited["id"] == note["id"] and edited["created"] == note["created"] < edited["modified"]
    assert (note["edited"], edited["edited"]) == (False, True)
    assert (await ask(service, "notes", limit=5))["ok"] == {"notes": [edited], "more": False}
    assert await ask(service, "delete_note", id=note["id"]) == {"ok": None}
    assert await ask(service, "delete_note", id=note["id"]) == {"ok": None}
    assert (await ask(service, "notes", limit=5))["ok"] == {"notes": [], "more": False}


async def test_a_note_of_the_future_is_edited_a_microsecond_later_and_deleted(service: Service) -> None:
    ahead = (time.time_ns() // 1000 // 1000 + 3_600_000) * 1000
    note = (await ask(service, "create_note", text="One", created=ahead))["ok"]
    edited = (await ask(service, "update_note", id=note["id"], text="Two"))["ok"]
    assert (edited["text"], edited["edited"], edited["modified"]) == ("Two", True, note["modified"])
    assert edited["version"] != note["version"]
    assert await ask(service, "delete_note", id=note["id"]) == {"ok": None}
    assert (await ask(service, "notes", limit=5))["ok"] == {"notes": [], "more": False}


async def test_one_note_is_asked_for_by_its_id(service: Service) -> None:
    note = (await ask(service, "create_note", text="One", created=BASE))["ok"]
    assert (await ask(service, "note", id=note["id"]))["ok"] == note
    await ask(service, "delete_note", id=note["id"])
    assert (await ask(service, "note", id=note["id"]))["error"]["kind"] == "NotFound"


async def test_the_tags_of_a_note_are_in_its_text_and_narrow_the_list(service: Service) -> None:
    note = (await ask(service, "create_note", text="# Trip\n#Japan and #japan, #two-words; no#tag #1", created=BASE))[
        "ok"
    ]
    assert note["tags"] == ["japan", "two-words"]
    await ask(service, "create_note", text="without", created=BASE + 1)
    assert (await ask(service, "notes", limit=5, tag="japan"))["ok"] == {"notes": [note], "more": False}
    edited = (await ask(service, "update_note", id=note["id"], text="#home"))["ok"]
    assert (await ask(service, "notes", limit=5, tag="japan"))["ok"]["notes"] == []
    assert (await ask(service, "notes", limit=5, tag="home"))["ok"]["notes"] == [edited]
    assert (await ask(service, "update_note", id=note["id"], text="none"))["ok"]["tags"] == []


async def test_a_note_is_published_and_private_again(device: Device) -> None:
    note = await device.ask("create_note", text="For all", created=BASE)
    assert (note["published"], note["links"]) == (False, [])
    for _ in range(2):
        assert (await device.ask("publish_note", id=note["id"], published=True))["published"] is True
    assert (await device.ask("update_note", id=note["id"], text="For all, still"))["published"] is True
    private = await device.ask("publish_note", id=note["id"], published=False)
    assert (private["published"], private["text"], private["links"]) == (False, "For all, still", [])


async def test_the_newest_notes_come_first_and_the_rest_is_announced(service: Service) -> None:
    for number in range(3):
        await ask(service, "create_note", text=str(number), created=BASE + number)
    page = (await ask(service, "notes", limit=2))["ok"]
    assert [note["text"] for note in page["notes"]] == ["2", "1"]
    assert page["more"] is True


@pytest.mark.parametrize("length", [EXCERPT, EXCERPT + 1, 40_000])
async def test_a_long_note_is_cut_in_the_list_only(service: Service, length: int) -> None:
    # Two bytes a character, from an odd offset on: the cut falls inside one.
    text = "x" + "\u00e4" * ((length - 1) // 2) + "y" * ((length - 1) % 2)
    note = (await ask(service, "create_note", text=text, created=BASE))["ok"]
    assert note["whole"] == (length <= EXCERPT)
    assert text.startswith(note["text"]) and "\ufffd" not in note["text"]
    assert (await ask(service, "read_note", id=note["id"]))["ok"] == text


async def test_a_note_whose_text_is_lost_is_shown_as_that_and_the_others_as_ever(
    service: Service, tmp_path: Path
) -> None:
    await ask(service, "create_note", text="lost " * 10_000, created=BASE)
    await ask(service, "create_note", text="whole", created=BASE + 1)
    [file] = (tmp_path / "agent" / "blobs" / "whole").iterdir()
    file.unlink()
    notes = (await ask(service, "notes", limit=5))["ok"]["notes"]
    assert [(note["text"], note["damaged"]) for note in notes] == [("whole", False), ("", True)]
    assert (await ask(service, "read_note", id=notes[1]["id"]))["error"]["kind"] == "MessageDamaged"
    assert [entry["state"] for entry in (await ask(service, "unsettled"))["ok"]["messages"]] == ["damaged"]
    again = await ask(service, "create_note", text="written again", created=BASE)
    assert again["ok"]["text"] == "written again"
    assert await ask(service, "delete_note", id=notes[1]["id"]) == {"ok": None}
    assert (await ask(service, "unsettled"))["ok"]["messages"] == []


async def test_characters_are_not_escaped_for_the_page(service: Service) -> None:
    assert "\U0001f642" in await answer(service, "create_note", json.dumps({"text": "\U0001f642", "created": BASE}))


async def test_a_nul_is_shown_as_what_it_is_to_a_reader_and_nothing_is_cut_off(service: Service) -> None:
    text = 'a\0b \\u0000 \\\0 \n" c'
    note = (await ask(service, "create_note", text=text, created=BASE))["ok"]
    assert note["text"] == 'a\ufffdb \\u0000 \\\ufffd \n" c'


@pytest.mark.parametrize("arguments", ["[]", "3", "null", '"x"'])
async def test_arguments_are_an_object(service: Service, arguments: str) -> None:
    assert json.loads(await answer(service, "state", arguments))["error"]["kind"] == "InvalidArgument"


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "NaN"])
async def test_arguments_that_are_no_json_change_nothing(service: Service, text: str) -> None:
    assert "error" in json.loads(await answer(service, "state", text))


async def test_an_identity_with_deeply_nested_extras_comes_in(service: Service, tmp_path: Path) -> None:
    exported = json.loads((await ask(service, "export_identity"))["ok"])
    nested: Any = 1
    for _ in range(480):
        nested = [nested]
    exported["portableDid"]["metadata"]["nested"] = nested
    agent = await open_agent(gateway_uris=["http://127.0.0.1:9/"], data_path=tmp_path / "other")
    other = Device(agent, [])
    await other.session.open()
    try:
        assert await other.ask("import_identity", text=json.dumps(exported)) == exported["portableDid"]["uri"]
        assert len(await other.ask("identities")) == 2
    finally:
        await other.session.close()


async def test_an_identity_goes_out_and_in(service: Service, tmp_path: Path) -> None:
    exported = (await ask(service, "export_identity"))["ok"]
    here = (await ask(service, "state"))["ok"]["did"]
    # Importing what is here already changes nothing.
    assert (await ask(service, "import_identity", text=exported))["ok"] == here

    agent = await open_agent(gateway_uris=["http://127.0.0.1:9/"], data_path=tmp_path / "other")
    other = Device(agent, [])
    await other.session.open()
    try:
        assert (await ask(other.service, "import_identity", text=exported))["ok"] == here
        assert len((await ask(other.service, "identities"))["ok"]) == 2
        assert (await ask(other.service, "choose_identity", did=here)) == {"ok": None}
        assert (await ask(other.service, "state"))["ok"]["did"] == here
    finally:
        await other.session.close()


@pytest.mark.parametrize(
    ("name", "arguments", "kind"),
    [
        ("import_identity", {"text": "no JSON"}, "IdentityError"),
        ("import_identity", {"text": "{}"}, "IdentityError"),
        ("choose_identity", {"did": "did:example:nobody"}, "IdentityError"),
        ("read_note", {"id": "bafyreiasample"}, "NotFound"),
        ("__init__", {}, "Web5Error"),
        ("__class__", {}, "Web5Error"),
        ("notes", {"wrong": 1}, "InvalidArgument"),
        ("notes", {"limit": "5"}, "InvalidArgument"),
        ("notes", {}, "InvalidArgument"),
        ("notes", {"limit": 5, "self": 1}, "InvalidArgument"),
        ("create_note", {"text": {}, "created": 1}, "InvalidArgument"),
        ("create_note", {"text": "\ud800", "created": 1}, "InvalidArgument"),
        ("create_identity", {"called": "x", "known": {"a": 1}}, "InvalidArgument"),
        ("import_identity", {"text": "[" * 600 + "]" * 600}, "IdentityError"),
        ("import_identity", {"text": "[" * 100_000}, "IdentityError"),
        ("import_identity", {"text": '{"portableDid":' * 3000 + "1" + "}" * 3000}, "IdentityError"),
        ("import_identity", {"text": '{"portableDid":' * 490 + "1" + "}" * 490}, "IdentityError"),
        ("import_identity", {"text": " " * 1_000_001}, "IdentityError"),
    ],
)
async def test_errors_reach_the_page_as_what_they_are(
    service: Service, name: str, arguments: dict[str, Any], kind: str
) -> None:
    error = (await ask(service, name, **arguments))["error"]
    assert error["kind"] == kind and error["message"]


async def test_the_store_can_be_checked(service: Service) -> None:
    assert (await ask(service, "check_store"))["ok"] == []


async def test_changes_are_announced_together(device: Device) -> None:
    posted = device.posted
    both = {"type": "changed", "what": ["notes", "state"]}
    async with asyncio.timeout(100 * INTERVAL):
        while await posted.get() != both:  # first, what opening it has changed
            pass
        await device.session.web5.dwn.records.create("a note")
        assert await posted.get() == both
        for _ in range(5):
            device.notifier.changed("state")
        device.notifier.changed("notes")
        assert await posted.get() == both
    assert posted.empty()


async def test_what_somebody_waits_for_is_announced_sooner() -> None:
    loop, said, end = asyncio.get_running_loop(), list[Any](), asyncio.Event()
    notifier = ChangeNotifier(lambda text: said.append(json.loads(text)["what"]))
    notifier.changed("state")
    loop.call_later(INTERVAL / 2, said.append, "half of the time")
    notifier.changed("messages")
    notifier.changed("messages")
    loop.call_later(INTERVAL / 4, notifier.changed, "messages")  # and not again at once
    loop.call_later(2 * INTERVAL, end.set)
    await end.wait()
    assert said == [["messages", "state"], "half of the time", ["messages"]]


async def test_a_note_of_the_future_says_that_it_waits_for_its_time(world: World) -> None:
    agent = await world.blank_device("laptop")
    device = Device(agent, world.endpoints)
    await device.session.open()
    assert await agent.publish_all()
    await device.ask("create_note", text="of today", created=BASE)
    right = agent.clock.now
    agent.clock.now = lambda: right() + 5 * 3600 * 1_000_000
    await device.ask("create_note", text="of the future", created=agent.clock.now())
    assert (await agent.sync.now()).ok
    shown = {one["text"]: one["waiting"] for one in (await device.ask("notes", limit=5))["notes"]}
    assert shown == {
        "of today": [],
        "of the future": [{"endpoint": url, "state": "early"} for url in world.endpoints],
    }
    await device.session.close()


async def test_all_notes_can_be_saved_to_a_file(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.notes.notes.PAGE", 3)
    for number in range(8):
        await device.ask("create_note", text=f"note {number}", created=BASE + number)
    exported = json.loads(await device.ask("export_notes"))
    assert [note["text"] for note in exported["notes"]] == [f"note {number}" for number in range(8)]
    assert exported["did"] == (await device.ask("state"))["did"]


async def test_trouble_with_the_store_is_in_the_state_and_told(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    health = device.agent.dwn.database.health
    tell = health.tell
    assert (await device.ask("state"))["storage"] == {"trouble": None, "detail": "", "losses": 0}
    while not device.posted.empty():
        device.posted.get_nowait()
    tell(Ill.FULL, "no room")
    monkeypatch.setattr(health, "tell", lambda *_: None)  # what is stored meanwhile would say that all is well
    assert "state" in (await asyncio.wait_for(device.posted.get(), 5))["what"]
    assert (await device.ask("state"))["storage"] == {"trouble": "full", "detail": "no room", "losses": 0}
    assert not device.session.is_in_memory_alone
    tell(Ill.LOST)
    assert device.session.is_in_memory_alone


async def test_the_texts_before_are_kept_newest_first(service: Service) -> None:
    note = (await ask(service, "create_note", text="One", created=BASE))["ok"]
    assert (await ask(service, "note_versions", id=note["id"]))["ok"] == []
    for text in ("Two", "Three " * EXCERPT, "Four"):
        await ask(service, "update_note", id=note["id"], text=text)
    kept = (await ask(service, "note_versions", id=note["id"]))["ok"]
    assert [one["text"][:5] for one in kept] == ["Three", "Two", "One"]
    assert [one["whole"] for one in kept] == [False, True, True]
    assert kept[-1]["written"] == note["modified"]
    assert (await ask(service, "read_version", id=kept[0]["id"]))["ok"] == "Three " * EXCERPT
    assert (await ask(service, "read_version", id=note["id"]))["error"]["kind"] == "NotFound"
    assert [one["text"] for one in (await ask(service, "notes", limit=9))["ok"]["notes"]] == ["Four"]


async def test_a_note_keeps_so_many_texts_and_takes_them_along(service: Service) -> None:
    note = (await ask(service, "create_note", text="0", created=BASE))["ok"]
    for number in range(1, versions.MOST + 3):
        await ask(service, "update_note", id=note["id"], text=str(number))
    kept = (await ask(service, "note_versions", id=note["id"]))["ok"]
    assert [one["text"] for one in kept] == [str(number) for number in range(versions.MOST + 1, 1, -1)]
    await ask(service, "delete_note", id=note["id"])
    assert (await ask(service, "note_versions", id=note["id"]))["ok"] == []
    assert (await ask(service, "read_version", id=kept[0]["id"]))["error"]["kind"] == "NotFound"


async def test_a_save_that_is_repeated_keeps_the_text_before_once(device: Device) -> None:
    note = await device.ask("create_note", text="One", created=BASE)
    web5 = device.service.web5
    record = await web5.dwn.records.read(note["id"])
    for _ in range(2):
        await versions.keep(web5, record)
    assert len(await device.ask("note_versions", id=note["id"])) == 1
