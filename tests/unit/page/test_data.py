"""What the page asks of its data: records, messages, protocols, and who may do what, on a real agent."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from app.data import access, data

from tests.unit.conftest import World
from tests.unit.page.devices import Device
from web5 import DelegationRequest, ProtocolPermissions, WalletConnect, Web5

NOTES: dict[str, Any] = {
    "protocol": "https://example.org/notes",
    "published": True,
    "types": {"note": {}, "reader": {}},
    "structure": {
        "reader": {"$role": True},
        "note": {
            "$actions": [
                {"who": "anyone", "can": ["create"]},
                {"role": "reader", "can": ["read", "query", "subscribe"]},
            ]
        },
    },
}
BASE = 1_700_000_000_000_000


async def test_records_come_in_pages_by_protocol_and_in_order(device: Device) -> None:
    assert await device.ask("install_protocol", text=json.dumps(NOTES)) == NOTES["protocol"]
    for number in range(5):
        await device.ask("create_note", text=str(number), created=BASE + number)
    web5 = device.session.web5
    mine = await web5.dwn.records.create(
        "in it", protocol=NOTES["protocol"], protocol_path="note", published=True, data_format="text/plain"
    )
    page = await device.ask("data_records", order="createdAscending", limit=4)
    rest = await device.ask("data_records", order="createdAscending", limit=4, cursor=page["cursor"])
    assert (len(page["rows"]), len(rest["rows"]), rest["cursor"]) == (4, 2, None)
    [row] = (await device.ask("data_records", order="createdDescending", limit=4, protocol=NOTES["protocol"]))["rows"]
    assert (
        row["cid"] == mine.message_cid
        and (row["path"], row["excerpt"]) == ("note", "in it")
        and row["author"]["me"]
        and not row["waiting"]
    )
    assert (await device.ask("data_records", order="publishedDescending", limit=9, published=True))["rows"] == [row]
    log = await device.ask("data_messages", newest_first=True, limit=100)
    assert [one["kind"] for one in log["rows"]] == [*["RecordsWrite"] * 6, "ProtocolsConfigure"]
    assert log["rows"][0] == {**row, "excerpt": ""}
    [only] = (await device.ask("data_messages", newest_first=True, limit=9, method="Configure"))["rows"]
    assert only["protocol"] == NOTES["protocol"]
    assert await device.ask("data_records", order="sideways", limit=4) == "InvalidArgument"


async def test_a_message_is_shown_verified_exported_and_its_record_deleted(device: Device) -> None:
    note = await device.ask("create_note", text="One", created=BASE)
    await (await device.session.web5.dwn.records.read(note["id"])).update(data="Zwei €")
    newest, first = (await device.ask("data_messages", newest_first=True, limit=9))["rows"]
    shown = await device.ask("data_message", cid=newest["cid"])
    assert (shown["text"], shown["newest"], shown["record"]) == ("Zwei €", True, note["id"])
    assert [one["cid"] for one in shown["others"]] == [first["cid"]] and shown["places"] == []
    parts = dict(shown["parts"])
    [[_, signature]] = parts["signed by"]
    assert dict(dict(signature)["signs"])["recordId"] == note["id"] == parts["recordId"]
    checks = await device.ask("verify_message", cid=newest["cid"])
    assert {one["subject"]: one["state"] for one in checks} == dict.fromkeys(
        ("messageCid", "claims", "signatures", "data"), "ok"
    )
    exported = json.loads(await device.ask("export_message", cid=newest["cid"]))
    assert exported.pop("encodedData") and exported["recordId"] == note["id"]
    old = await device.ask("data_message", cid=first["cid"])
    assert (old["newest"], old["text"]) == (False, None)
    for _ in range(2):
        assert await device.ask("delete_record", id=note["id"]) is None
    assert (await device.ask("data_message", cid=first["cid"]))["deleted"]
    assert await device.ask("data_message", cid="bafy") == "NotFound"


async def test_json_is_shown_in_its_parts(device: Device) -> None:
    records = device.session.web5.dwn.records
    made = await records.create({"title": "boats", "of": [1, None]})
    shown = await device.ask("data_message", cid=made.message_cid)
    assert shown["text"] is None
    assert shown["parts"][0] == ["data", [["title", "boats"], ["of", [["1", "1"], ["2", "null"]]]]]
    made = await records.create("[" * 5, data_format="application/json")
    shown = await device.ask("data_message", cid=made.message_cid)
    assert (shown["text"], shown["parts"][0][0]) == ("[" * 5, "signed by")


async def test_a_large_record_is_verified_when_that_is_asked_for(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await device.session.web5.dwn.records.create(b"x" * (data.QUICK + 1))
    checks = await device.ask("verify_message", cid=made.message_cid)
    assert checks[-1] == {"subject": "data", "state": "large", "detail": ""}
    checks = await device.ask("verify_message", cid=made.message_cid, data_too=True)
    assert checks[-1] == {"subject": "data", "state": "ok", "detail": ""}
    monkeypatch.setattr(data, "MOST_EXPORTED", data.QUICK)
    assert await device.ask("export_message", cid=made.message_cid) == "InvalidArgument"


async def test_what_is_shown_of_a_message_has_bounds(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "MOST_VALUES", 60)
    types = {f"t{number}": {} for number in range(200)}
    await device.ask("install_protocol", text=json.dumps({**NOTES, "types": {**NOTES["types"], **types}}))
    [row] = (await device.ask("data_messages", newest_first=True, limit=9))["rows"]
    shown = (await device.ask("data_message", cid=row["cid"]))["parts"]
    assert str(shown).count("'t1") < 60 and "there is more" in str(shown)


async def test_protocols_say_who_may_do_what(device: Device) -> None:
    assert await device.ask("install_protocol", text="{") == "InvalidArgument"
    assert await device.ask("install_protocol", text="[]") == "InvalidArgument"
    assert await device.ask("install_protocol", text=" " * (access.LONGEST_TEXT + 1)) == "InvalidArgument"
    for _ in range(2):
        assert await device.ask("install_protocol", text=json.dumps(NOTES)) == NOTES["protocol"]
    [found] = await device.ask("protocols")
    assert (found["protocol"], found["published"], found["encrypted"]) == (NOTES["protocol"], True, False)
    reader, note = found["paths"]
    assert (reader["path"], reader["role"]) == ("reader", True)
    assert [(one["who"], one["by_role"], one["can"]) for one in note["actions"]] == [
        ("anyone", False, ["create"]),
        ("reader", True, ["read", "query", "subscribe"]),
    ]


async def test_an_app_gets_what_it_asked_for_until_it_is_revoked(world: World, tmp_path: Path) -> None:
    device = Device(await world.device("owner"), world.endpoints)
    await device.session.open()
    app = await world.device("app")
    keys = await (await Web5.connect(agent=app, sync="off")).web5.did.create("jwk")
    asked = DelegationRequest([ProtocolPermissions(NOTES, ["read", "write"])], keys.uri, "Diary").to_json()
    text = json.dumps(asked)
    shown = await device.ask("read_request", text=text)
    [asks] = shown["asks"]
    assert (shown["name"], shown["did"]) == ("Diary", keys.uri)
    assert (asks["protocol"], asks["permissions"]) == (NOTES["protocol"], ["read", "write"])
    assert [one["path"] for one in asks["installs"]] == ["reader", "note"]
    assert (await device.ask("grants"))["apps"] == []
    assert await device.ask("give_access", text=text, days=0) == "InvalidArgument"
    delegation = json.loads(await device.ask("give_access", text=text, days=30))
    assert delegation["delegateDid"] == keys.uri and "delegatePortableDid" not in delegation
    web5, _ = await Web5.connect_as_delegate(delegation, keys=keys, agent=app, sync="off")
    assert (await web5.sync.now()).ok
    await web5.dwn.records.create("as her", protocol=NOTES["protocol"], protocol_path="note")
    [listed] = (await device.ask("grants"))["apps"]
    assert listed["did"] == keys.uri and {one["state"] for one in listed["grants"]} == {"holds"}
    assert {one["permission"] for one in listed["grants"]} == {"read", "write", "sync"}
    assert {one["description"] for one in listed["grants"]} == {"Diary"}
    assert (await device.ask("read_request", text=text))["asks"][0]["installs"] == []
    for _ in range(2):
        await device.ask("revoke_grants", ids=[one["id"] for one in listed["grants"]])
    [listed] = (await device.ask("grants"))["apps"]
    assert {one["state"] for one in listed["grants"]} == {"revoked"}
    await device.session.leave()


async def test_an_app_whose_link_is_pasted_connects_by_the_pin(world: World) -> None:
    device = Device(await world.device("owner"), world.endpoints)
    await device.session.open()
    links: asyncio.Queue[str] = asyncio.Queue()
    pins: asyncio.Queue[str] = asyncio.Queue()

    async def ask_pin(wrong: int) -> str:
        return await pins.get()

    wallet = WalletConnect(
        display_name="Diary",
        permissions=[ProtocolPermissions(NOTES, ["read"])],
        server=f"{world.endpoints[0]}/connect",
        wallet_uri="https://page.example/",
        on_uri=links.put_nowait,
        ask_pin=ask_pin,
    )
    connecting = asyncio.create_task(Web5.connect(agent=await world.device("app"), wallet=wallet, sync="off"))
    link = await links.get()
    assert await device.ask("give_access", text=link, days=30) == "InvalidArgument"
    for _ in range(2):  # the page may ask again, though the relay gives it once
        shown = await device.ask("read_request", text=link)
        assert (shown["name"], shown["did"], shown["server"]) == ("Diary", "", "world")
        assert shown["asks"][0]["permissions"] == ["read"]
    assert await device.ask("give_access", text=link, days=0) == "InvalidArgument"
    pins.put_nowait(await device.ask("give_access", text=link, days=30))
    assert (await connecting).did == device.session.web5.connected_did
    [listed] = (await device.ask("grants"))["apps"]
    assert {one["description"] for one in listed["grants"]} == {"Diary"}
    assert await device.ask("give_access", text=link, days=30) == "InvalidArgument"
    assert await device.ask("read_request", text=link) == "NotConnected"
    await device.session.leave()


async def test_a_request_that_came_is_granted_once(world: World) -> None:
    device = Device(await world.device("owner"), world.endpoints)
    await device.session.open()
    owner = device.session.web5
    await owner.sync.now()
    bob = (await Web5.connect(agent=await world.device("bob"), sync="off")).web5
    await bob.sync.now()
    scope = {"interface": "Records", "method": "Read", "protocol": NOTES["protocol"]}
    request = await bob.dwn.permissions.request(scope=scope, description="to see them")  # type: ignore[arg-type]
    await request.send(owner.connected_did)
    await owner.sync.now()
    [asked] = (await device.ask("grants"))["requests"]
    assert (asked["did"], asked["permission"], asked["description"]) == (bob.connected_did, "read", "to see them")
    for _ in range(2):
        assert await device.ask("grant_request", id=asked["id"], days=7) is None
    found = await device.ask("grants")
    assert found["requests"] == [] and len(found["apps"][0]["grants"]) == 1
    assert await device.ask("grant_request", id="other", days=7) == "NotFound"
    await device.session.leave()
