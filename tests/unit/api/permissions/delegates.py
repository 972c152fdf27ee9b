"""Apps that act for somebody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.unit.conftest import World
from web5 import ProtocolPermissions, Web5

NOTES = "https://example.org/notes"
DIARY = "https://example.org/diary"
NOTE = {"protocol": NOTES, "protocol_path": "note"}


def definition(protocol: str) -> dict[str, Any]:
    return {
        "protocol": protocol,
        "published": False,
        "types": {"note": {"dataFormats": ["text/plain"]}, "reply": {}},
        "structure": {"note": {"reply": {}}},
    }


async def synced(*apps: Web5) -> None:
    """Bring what any of them has to all others."""
    for direction in ("push", "pull"):
        for app in apps:
            report = await app.sync.now(direction)
            assert report.ok, report


async def delegate(
    world: World, owner: Web5, *permissions: ProtocolPermissions, name: str = "app", **options: Any
) -> Web5:
    """Return an app on another device that acts for the owner."""
    given = await owner.authorize(permissions=permissions or [ProtocolPermissions(definition(NOTES))], **options)
    app, did = await Web5.connect_as_delegate(given, agent=await world.device(name), sync="off")
    assert did == owner.connected_did
    assert (await app.sync.now("pull")).ok
    return app


def later(**span: float) -> str:
    return (datetime.now(UTC) + timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
