"""Each difference from the reference that docs/differences.md lists, shown on both engines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.interop.engine.streams import authoring
from tests.interop.engine.streams.cast import Actor, cast
from tests.interop.engine.streams.pair import Outcome, run_ours, run_theirs
from tests.interop.engine.streams.step import Message, Signed, Step
from tests.interop.reference import ReferenceScript
from web5.crypto.encoding import b64url_encode
from web5.dwn.cid import data_cid, message_cid
from web5.dwn.javascript import MAX_SIZE

pytestmark = pytest.mark.asyncio(loop_scope="module")

PERMISSIONS = "https://tbd.website/dwn/permissions"
PROTOCOL = "https://example.com/notes"
DEFINITION = {
    "protocol": PROTOCOL,
    "published": True,
    "types": {"note": {}},
    "structure": {"note": {"$actions": [{"who": "anyone", "can": ["read"]}]}},
}


@dataclass
class Script:
    """Steps for Alice's DWN, one second apart."""

    alice: Actor
    bob: Actor
    steps: list[Step] = field(default_factory=list)

    def time(self, second: int | None = None) -> str:
        return f"2024-05-01T00:00:{len(self.steps) if second is None else second:02}.000000Z"

    def send(self, message: Any, data: bytes | None = None, **more: Any) -> Any:
        self.steps.append(Step(len(self.steps), "log", self.alice.did, message, data, **more))
        return message

    def write(self, data: bytes, *, send: bool = True, sent: bytes | None = None, **more: Any) -> Message:
        time = self.time()
        signed = more.pop("signed", Signed(self.alice))
        context = more.pop("parent_context_id", None)
        published = {"published": True, "datePublished": time} if more.pop("published", False) else {}
        descriptor = {
            "interface": "Records",
            "method": "Write",
            "dataCid": data_cid(data),
            "dataSize": len(data),
            "dateCreated": time,
            "messageTimestamp": time,
            "dataFormat": "application/json",
            **published,
            **more,
        }
        message = authoring.write(descriptor, signed, parent_context_id=context)
        return self.send(message, data if sent is None else sent) if send else message

    def update(self, old: Message, data: bytes, *, published: bool = False, sent: bytes | None = None) -> Message:
        time = self.time()
        descriptor = {**old["descriptor"], "messageTimestamp": time, "dataCid": data_cid(data), "dataSize": len(data)}
        if published:
            descriptor |= {"published": True, "datePublished": time}
        message = authoring.write(
            descriptor, Signed(self.alice), record_id=old["recordId"], context_id=old.get("contextId")
        )
        return self.send(message, data if sent is None else sent)

    def ask(
        self, by: Actor | None, interface: str, method: str, claims: dict[str, str] | None = None, **more: Any
    ) -> None:
        descriptor = {"interface": interface, "method": method, "messageTimestamp": self.time(), **more}
        self.send(authoring.plain(descriptor, None if by is None else Signed(by, claims or {})))

    def configure(self) -> None:
        self.ask(self.alice, "Protocols", "Configure", definition=DEFINITION)

    def grant(self, scope: Message, *, send: bool = True, **more: Any) -> tuple[Message, bytes]:
        data = authoring.json_data({"dateExpires": "2025-05-01T00:00:00.000000Z", "scope": scope, **more})
        message = self.write(
            data,
            send=send,
            protocol=PERMISSIONS,
            protocolPath="grant",
            recipient=self.bob.did,
            tags={"protocol": scope["protocol"]},
        )
        return message, data

    async def run(self, reference: ReferenceScript) -> tuple[list[Outcome], list[Outcome]]:
        theirs = await run_theirs(reference, [self.alice, self.bob], self.steps)
        return await run_ours(self.steps), theirs

    async def last(self, reference: ReferenceScript) -> tuple[Outcome, Outcome]:
        """What both engines answered to the last step, all others having been answered alike."""
        ours, theirs = await self.run(reference)
        assert [one.code for one in ours[:-1]] == [one.code for one in theirs[:-1]]
        return ours[-1], theirs[-1]


@pytest.fixture
def script() -> Script:
    alice, bob, *_ = cast(0)
    return Script(alice, bob)


@pytest.mark.parametrize(
    "more",
    [{"delegated": True}, {"dateExpires": "2030-01-01T00:00:00.000000Z"}, {"scope": {"interface": "Records"}}],
    ids=["delegated", "later end", "scope"],
)
async def test_forged_delegated_grant(reference_engine: ReferenceScript, script: Script, more: Message) -> None:
    """A delegated grant is what its grantor signed."""
    script.configure()
    scope = {"interface": "Records", "method": "Write", "protocol": PROTOCOL}
    given: Message = (
        {"scope": {**scope, "protocol": "https://example.com/other"}} if "scope" in more else {"scope": scope}
    )
    given |= {} if "delegated" in more else {"delegated": True}
    grant, data = script.grant(given["scope"], delegated=given.get("delegated"))
    says = {"dateExpires": "2025-05-01T00:00:00.000000Z", **more, "delegated": True, "scope": scope}
    forged = authoring.with_data(grant, authoring.json_data(says))
    script.write(b"{}", protocol=PROTOCOL, protocolPath="note", signed=Signed(script.bob, {}, forged))
    assert data != authoring.json_data(says)
    ours, theirs = await script.last(reference_engine)
    assert theirs.code == "202 Accepted"
    assert ours.code.endswith(" RecordsAuthorDelegatedGrantCidMismatch")


@pytest.mark.parametrize("method", ["Query", "Subscribe"])
async def test_log_without_filters(reference_engine: ReferenceScript, script: Script, method: str) -> None:
    """A grant for one protocol does not open the whole log."""
    script.configure()
    script.write(b"private")
    grant, _ = script.grant({"interface": "Messages", "method": method, "protocol": PROTOCOL})
    script.ask(script.bob, "Messages", method, {"permissionGrantId": grant["recordId"]}, filters=[])
    ours, theirs = await script.last(reference_engine)
    assert theirs.code == "200 OK"
    assert ours.code == "401 EventsGrantAuthorizationMismatchedProtocol"
    if method == "Query":
        assert message_cid(script.steps[1].message) in theirs.reply["entries"]


async def test_event_of_a_record_that_gets_published(reference_engine: ReferenceScript, script: Script) -> None:
    """Events carry no data."""
    script.ask(None, "Records", "Subscribe", filter={"dataFormat": "application/json"})
    first = script.write(b"private")
    script.update(first, b"public", published=True)
    ours, theirs = await script.last(reference_engine)
    [(_, our_event)], [(_, their_event)] = ours.events, theirs.events
    assert their_event["initialWrite"].pop("encodedData") == b64url_encode(b"private")
    assert our_event == their_event


async def test_query_of_a_stranger_sorted_by_publication(reference_engine: ReferenceScript, script: Script) -> None:
    """Sorting by publication shows strangers what they may see."""
    script.write(b"for all", published=True, schema="https://example.com/s")
    script.write(b"for Bob", recipient=script.bob.did, schema="https://example.com/s")
    script.ask(
        script.bob, "Records", "Query", filter={"schema": "https://example.com/s"}, dateSort="publishedAscending"
    )
    ours, theirs = await script.last(reference_engine)
    assert ours.code == theirs.code == "200 OK"
    assert theirs.reply["entries"] == []
    assert [entry["recordId"] for entry in ours.reply["entries"]] == [script.steps[0].message["recordId"]]


async def test_query_of_a_stranger_for_what_is_hidden(reference_engine: ReferenceScript, script: Script) -> None:
    """Questions about what one may not see."""
    hidden = script.write(b"private", recipient=script.alice.did)
    hidden_filter = {"published": False, "author": script.alice.did, "recipient": script.alice.did}
    script.ask(script.bob, "Records", "Query", filter=hidden_filter)
    ours, theirs = await script.last(reference_engine)
    assert ours.reply["entries"] == []
    assert [entry["recordId"] for entry in theirs.reply["entries"]] == [hidden["recordId"]]


async def test_subscription_of_a_stranger_to_what_is_hidden(reference_engine: ReferenceScript, script: Script) -> None:
    """Questions about what one may not see."""
    hidden_filter = {"published": False, "author": script.alice.did, "recipient": script.alice.did}
    script.ask(script.bob, "Records", "Subscribe", filter=hidden_filter)
    hidden = script.write(b"private")
    ours, theirs = await script.last(reference_engine)
    assert ours.events == []
    assert [event["message"] for _, event in theirs.events] == [hidden]


async def test_signature_of_a_wrong_length(reference_engine: ReferenceScript, script: Script) -> None:
    """Malformed signatures have an error code."""
    message = script.write(b"x", send=False)
    message["authorization"]["signature"]["signatures"][0]["signature"] = "AAAA"
    script.send(message, b"x")
    ours, theirs = await script.last(reference_engine)
    assert (ours.code, theirs.code) == ("401 GeneralJwsVerifierInvalidSignature", "401")


async def test_deep_message(reference_engine: ReferenceScript, script: Script) -> None:
    """Deeply nested messages."""
    message, deep = script.write(b"x", send=False), {}
    for _ in range(250):
        deep = {"x": deep}
    script.send({**message, "more": deep}, b"x")
    ours, theirs = await script.last(reference_engine)
    assert (ours.code, theirs.code) == ("400", "400 SchemaValidatorUnevaluatedPropertyNotAllowed")


async def test_giant_message(reference_engine: ReferenceScript, script: Script) -> None:
    """Giant messages."""
    script.write(b"x", schema="urn:" + "x" * MAX_SIZE)
    ours, theirs = await script.last(reference_engine)
    assert (ours.code, theirs.code) == ("400", "202 Accepted")


@pytest.mark.parametrize("time", ["2024-05-01T00:00:00Z[UTC]", "+002024-05-01T00:00:00Z"])
async def test_subscription_at_an_annotated_time(reference_engine: ReferenceScript, script: Script, time: str) -> None:
    """Timestamps without annotations."""
    for moment in ("2024-05-01 02:00+02:00", time):
        descriptor = {"interface": "Messages", "method": "Subscribe", "messageTimestamp": moment, "filters": []}
        script.send(authoring.plain(descriptor, Signed(script.alice)))
    ours, theirs = await script.last(reference_engine)
    assert (ours.code, theirs.code) == ("400 TimestampInvalid", "200 OK")


async def test_permission_record_that_is_no_json(reference_engine: ReferenceScript, script: Script) -> None:
    """Errors get a reply."""
    script.write(b"nonsense", protocol=PERMISSIONS, protocolPath="request")
    ours, theirs = await script.last(reference_engine)
    assert ours.code.startswith("400")
    assert theirs.threw is not None and "SyntaxError" in theirs.threw


async def test_tag_with_a_space_in_its_name(reference_engine: ReferenceScript, script: Script) -> None:
    """Tags of any name."""
    script.write(b"x", tags={"my tag": "a"})
    ours, theirs = await script.last(reference_engine)
    assert ours.code == "202 Accepted"
    assert theirs.threw is not None and "Prefix must use bytes" in theirs.threw


async def test_record_without_bytes(reference_engine: ReferenceScript, script: Script) -> None:
    """Records without any bytes."""
    message = script.write(b"")
    script.ask(script.alice, "Messages", "Read", messageCid=message_cid(message))
    ours, theirs = await script.last(reference_engine)
    assert (ours.code, theirs.code) == ("200 OK", "404")
    assert ours.reply["entry"]["data"] == ""


async def test_wrong_large_data_for_an_update(reference_engine: ReferenceScript, script: Script) -> None:
    """Wrong data leave the record's own alone."""
    large = bytes(40_000)
    message = script.write(large)
    script.update(message, large, sent=bytes(39_999) + b"x")
    script.ask(script.alice, "Records", "Read", filter={"recordId": message["recordId"]})
    ours, theirs = await script.last(reference_engine)
    assert (ours.code, theirs.code) == ("200 OK", "404")


async def test_log_cursor_of_another_node(reference_engine: ReferenceScript, script: Script) -> None:
    """Cursors of another log."""
    message = script.write(b"x")
    cursor = {"messageCid": message_cid(message), "value": "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"}
    script.ask(script.alice, "Messages", "Query", filters=[], cursor=cursor)
    ours, theirs = await script.last(reference_engine)
    assert ours.reply["entries"] == [message_cid(message)]
    assert theirs.reply["entries"] == []


async def test_range_of_numbers_over_texts(reference_engine: ReferenceScript, script: Script) -> None:
    """Ranges of tags compare like with like."""
    script.write(b"x", tags={"grade": "x"})
    number = script.write(b"y", tags={"grade": 7})
    script.ask(script.alice, "Records", "Query", filter={"tags": {"grade": {"gt": 5}}})
    ours, theirs = await script.last(reference_engine)
    assert [entry["recordId"] for entry in ours.reply["entries"]] == [number["recordId"]]
    assert len(theirs.reply["entries"]) == 2
