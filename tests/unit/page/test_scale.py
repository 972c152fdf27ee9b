"""What the page asks takes as many steps of SQLite with many notes as with few; see `tests.vm_steps`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.conftest import World
from tests.unit.page.devices import Device
from tests.vm_steps import measured, multiply

FEW, MANY = 1_000, 20_000
ENOUGH = 1.05
SHOWN = 50
BASE = 1_700_000_000_000_000

REFUSE = (
    "INSERT INTO sync_out (endpoint, position, cid, state, code, detail, next_try)"
    " SELECT id, seq, cid, 'refused', 400, 'no', 9e18 FROM dwn_message, sync_endpoint"
    " WHERE sync_endpoint.tenant = ? AND seq > ?"
)


async def _steps(device: Device, number: int, *, refused: bool) -> dict[str, int]:
    """Give a device so many notes that its nodes do not have; return the steps that each question takes."""
    database, did = device.agent.dwn.database, device.session.web5.connected_did
    await device.ask("create_note", text="the first", created=BASE)
    assert (await device.agent.sync.now()).ok
    with database.transaction() as db:
        [(first,)] = db.execute("SELECT max(seq) FROM dwn_message WHERE record_id NOTNULL AND schema LIKE '%Text%'")
        multiply(db, first, number)
        if refused:
            db.execute(REFUSE, (did, first))
    device.agent.sync._ledger.open()
    for note in range(SHOWN):
        await device.ask("create_note", text=str(note), created=BASE + 1_000_000 + note)
    steps = {}
    for name, arguments in (
        ("state", {}),
        ("notes", {"limit": SHOWN}),
        ("unsettled", {}),
        ("create_note", {"text": "one more", "created": BASE + 2_000_000}),
    ):
        with measured(database.connection) as work:
            answered = await device.ask(name, **arguments)
        assert isinstance(answered, dict), answered
        assert work.scans(database.connection) == [], name
        steps[name] = work.steps
    state = await device.ask("state")
    assert {node["pending_out"] for node in state["endpoints"]} == {number + SHOWN + 1}
    assert {node["refused"] for node in state["endpoints"]} == {number if refused else 0}
    shown = (await device.ask("notes", limit=SHOWN))["notes"]
    assert len(shown) == SHOWN and all(len(note["waiting"]) == len(state["endpoints"]) for note in shown)
    return steps


@pytest.mark.parametrize("refused", [False, True], ids=["to be sent", "refused"])
async def test_the_page_asks_no_more_of_the_store_with_many_notes(refused: bool, world: World, tmp_path: Path) -> None:
    found = []
    for number in (FEW, MANY):
        agent = await world.blank_device(f"with-{number}")
        device = Device(agent, world.endpoints)
        await device.session.open()
        assert await agent.publish_all()
        found.append(await _steps(device, number, refused=refused))
        await device.session.close()
    few, many = found
    grown = {name: (few[name], many[name]) for name in few if many[name] > ENOUGH * few[name]}
    assert grown == {}
