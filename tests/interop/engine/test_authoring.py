"""Our authors and the reference's classes make the same messages, byte for byte."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any

import pytest

from tests.interop.engine.streams.cast import cast
from tests.interop.engine.streams.composing import StoppedClock, composed, message_signer
from tests.interop.engine.streams.pair import can_be_authored, wire_signing
from tests.interop.engine.streams.stream import Stream
from tests.interop.reference import ReferenceScript
from web5.dwn.permissions import compose as compose_permissions
from web5.errors import DwnError

pytestmark = pytest.mark.asyncio(loop_scope="module")

STEPS = 600
TIME = "2024-05-01T00:00:00.000000Z"
EXPIRES = "2025-05-01T00:00:00.000000Z"
PROTOCOL = "https://example.com/p"


@pytest.mark.parametrize("seed", [101, 102])
async def test_messages_of_a_stream(reference_engine: ReferenceScript, seed: int) -> None:
    stream = Stream(seed)
    steps = [step for step in stream.steps(STEPS) if can_be_authored(step)]
    asked = [wire_signing(step.message, step.made) for step in steps]
    theirs = await reference_engine.call(
        "authored", persons=[actor.wire for actor in stream.world.actors], messages=asked
    )
    kinds: Counter[str] = Counter()
    for step, their in zip(steps, theirs, strict=True):
        if "error" in their:
            if step.what == "query":
                with pytest.raises(DwnError, match=their["error"].partition(":")[0]):
                    await composed(step.message, step.made)
                continue
            # It knows no such interface, or the CID is none; our authors leave that to the engine.
            assert step.what in ("log", "subscribe", "message"), (step, their)
            continue
        assert their["message"] == step.message, step
        assert await composed(step.message, step.made) == step.message, step
        kinds[step.message["descriptor"]["interface"] + step.message["descriptor"]["method"]] += 1
    assert len(kinds) == 10
    assert sum(kinds.values()) > STEPS / 3


SCOPES: list[dict[str, Any]] = [
    {"interface": "Records", "method": "Write", "protocol": "example.com/p/"},
    {"interface": "Records", "method": "Read", "protocol": PROTOCOL, "protocolPath": "post"},
    {"interface": "Records", "method": "Delete", "protocol": PROTOCOL, "contextId": "abc"},
    {"interface": "Messages", "method": "Query"},
    {"interface": "Messages", "method": "Subscribe", "protocol": PROTOCOL},
    {"interface": "Protocols", "method": "Configure"},
    {"interface": "Records", "method": "Write"},
]


@pytest.mark.parametrize("scope", SCOPES, ids=lambda scope: "-".join(scope.values()))
@pytest.mark.parametrize("full", [False, True], ids=["least", "full"])
async def test_permissions(reference_engine: ReferenceScript, scope: dict[str, Any], full: bool) -> None:
    alice, bob, *_ = cast(7)
    signer, clock = message_signer(alice), StoppedClock({"descriptor": {"messageTimestamp": TIME}})

    async def theirs(kind: str, **options: Any) -> Any:
        return await reference_engine.call("permission", person=alice.wire, kind=kind, options=options, time=TIME)

    more = {"description": "for work", "conditions": {"publication": "Required"}} if full else {}
    request = {"scope": scope, "delegated": full, **more}
    grant = {"grantedTo": bob.did, "dateExpires": EXPIRES, "scope": scope, **more}
    grant |= {"delegated": True, "requestId": "abc"} if full else {}
    if scope["interface"] == "Records" and "protocol" not in scope:
        for kind, options in (("Request", request), ("Grant", grant)):
            with pytest.raises(Exception, match=f"PermissionsProtocolCreate{kind}RecordsScopeMissingProtocol"):
                await theirs(kind, **options)
        with pytest.raises(DwnError, match="PermissionsProtocolCreateRequestRecordsScopeMissingProtocol"):
            await compose_permissions.permission_request(signer, clock, **request)
        with pytest.raises(DwnError, match="PermissionsProtocolCreateGrantRecordsScopeMissingProtocol"):
            await compose_permissions.permission_grant(signer, clock, **_snake(grant))
        return
    our_request = await compose_permissions.permission_request(signer, clock, **request)
    assert our_request == await theirs("Request", **request)
    our_grant = await compose_permissions.permission_grant(signer, clock, **_snake(grant))
    their_grant = await theirs("Grant", **grant)
    assert our_grant == their_grant
    describing = {"description": "enough"} if full else {}
    our_end = await compose_permissions.permission_revocation(signer, clock, grant=our_grant, **describing)
    granted = {"id": their_grant["recordId"], "scope": _json(their_grant["encodedData"])["scope"]}
    assert our_end == await theirs("Revocation", grant=granted, **describing)


def _json(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def _snake(options: dict[str, Any]) -> dict[str, Any]:
    names = {"grantedTo": "granted_to", "dateExpires": "date_expires", "requestId": "request_id"}
    return {names.get(name, name): value for name, value in options.items()}
