"""Each difference from the reference that docs/differences.md lists, shown on both engines."""

from __future__ import annotations

import base64
import dataclasses

import pytest

from tests.clocks import ManualClock
from tests.interop.engine.streams import authoring
from tests.interop.engine.streams.cast import Actor, cast, jws
from tests.interop.engine.streams.pair import OurRun, run_theirs
from tests.interop.engine.streams.script import DEFINITION, PERMISSIONS, PROTOCOL, Script
from tests.interop.engine.streams.step import Message, Signed
from tests.interop.reference import ReferenceScript
from tests.unit.dwn.chat import URI as CHAT
from tests.unit.dwn.chat import chat
from tests.unit.dwn.persons import ENCRYPTION
from web5.crypto.ecdsa import CURVES
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.dwn.messages.shapes import MAX_ALTERNATIVES, MAX_FILTERS
from web5.dwn.protocols.json_schema import MAX_PATTERNS
from web5.dwn.protocols.validation import MAX_PATHS
from web5.dwn.time_window import SUBSCRIPTION_SECONDS, WINDOW_SECONDS
from web5.dwn.values.cid import dag_cbor_cid, message_cid
from web5.dwn.values.javascript import MAX_SIZE
from web5.dwn.values.timestamps import parse_timestamp
from web5.urls import MAX_HOST

pytestmark = pytest.mark.asyncio(loop_scope="module")


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


@pytest.mark.parametrize("kind", ["author", "recipient"])
async def test_filter_with_very_many_people(reference_engine: ReferenceScript, script: Script, kind: str) -> None:
    """Questions with very many alternatives."""
    script.ask(script.alice, "Records", "Query", filter={kind: [f"did:ex:{i}" for i in range(MAX_ALTERNATIVES + 1)]})
    ours, theirs = await script.last(reference_engine)
    assert (ours.code, theirs.code) == ("400 SchemaValidatorFailure", "200 OK")


async def test_log_with_very_many_filters(reference_engine: ReferenceScript, script: Script) -> None:
    """Questions with very many alternatives."""
    filters = [{"protocol": f"http://p{i}.example"} for i in range(MAX_FILTERS + 1)]
    script.ask(script.alice, "Messages", "Query", filters=filters)
    ours, theirs = await script.last(reference_engine)
    assert (ours.code, theirs.code) == ("400 SchemaValidatorFailure", "200 OK")


async def test_schema_with_a_very_long_host(reference_engine: ReferenceScript, script: Script) -> None:
    """URLs with very long hosts."""
    script.write(b"x", schema=f"http://{'a.' * (MAX_HOST // 2)}example")
    ours, theirs = await script.last(reference_engine)
    assert (ours.code, theirs.code) == ("400 UrlSchemaNotNormalized", "202 Accepted")


async def test_schema_with_punycode_of_ascii(reference_engine: ReferenceScript, script: Script) -> None:
    """Hosts by the tables of today."""
    script.write(b"x", schema="http://xn--fa-hia.example")
    script.write(b"x", schema="http://xn--ab-.example")
    ours, theirs = await script.last(reference_engine)
    assert (ours.code, theirs.code) == ("400 UrlSchemaNotNormalized", "202 Accepted")


async def test_protocol_with_very_long_paths(reference_engine: ReferenceScript, script: Script) -> None:
    """Protocols with very long paths."""
    names = [f"n{i}" for i in range(100)]
    long = "x" * (MAX_PATHS // 100)
    structure = {long: {name: {} for name in names}}
    script.configure({**DEFINITION, "types": {name: {} for name in (long, *names)}, "structure": structure})
    ours, theirs = await script.last(reference_engine)
    assert (ours.code, theirs.code) == ("400", "202 Accepted")


async def test_reference_into_an_enum(reference_engine: ReferenceScript, script: Script) -> None:
    """References to what is no schema."""
    items = {"enum": [{"type": "string"}]}
    tags = {
        "a": {"type": "array", "items": items},
        "b": {"type": "array", "items": {"$ref": "#/properties/a/items/enum/0"}},
    }
    script.configure({**DEFINITION, "structure": {"note": {"$tags": tags}}})
    script.write(b"{}", protocol=PROTOCOL, protocolPath="note", tags={"b": ["x"]})
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


def other_s(message: Message, curve: str) -> Message:
    """The message with the other S in its signature, which holds as well."""
    entry = message["authorization"]["signature"]["signatures"][0]
    raw = b64url_decode(entry["signature"])
    twin = raw[:32] + (CURVES[curve].n - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    signature = {**message["authorization"]["signature"], "signatures": [{**entry, "signature": b64url_encode(twin)}]}
    return {**message, "authorization": {**message["authorization"], "signature": signature}}


@pytest.mark.parametrize("what", ["attestation", "encryption", "entry"])
async def test_something_that_is_not_signed(reference_engine: ReferenceScript, script: Script, what: str) -> None:
    """All that is in a message is signed."""
    message = script.write(b"x", send=False)
    if what == "attestation":
        message["attestation"] = jws({"descriptorCid": dag_cbor_cid(message["descriptor"])}, [script.bob])
    elif what == "encryption":
        message["encryption"] = ENCRYPTION
    else:
        message["authorization"]["signature"]["signatures"][0]["header"] = {}
    script.send(message, b"x")
    ours, theirs = await script.last(reference_engine)
    assert theirs.code == "202 Accepted"
    assert (
        ours.code
        == {
            "attestation": "400 RecordsWriteValidateIntegrityAttestationMismatch",
            "encryption": "400 RecordsWriteValidateIntegrityEncryptionCidMismatch",
            "entry": "400 SchemaValidatorAdditionalPropertyNotAllowed",
        }[what]
    )


async def test_protocol_without_the_grant_that_is_named(reference_engine: ReferenceScript, script: Script) -> None:
    """All that is in a message is signed."""
    script.ask(script.alice, "Protocols", "Configure", {"delegatedGrantId": "bafyreinone"}, definition=DEFINITION)
    ours, theirs = await script.last(reference_engine)
    assert ours.code == "400 RecordsAuthorDelegatedGrantAndIdExistenceMismatch"
    assert theirs.code == "202 Accepted"


async def test_what_has_ended(reference_engine: ReferenceScript, script: Script) -> None:
    """What has ended is kept for the tenant's own DWNs."""
    script.configure()
    grant, data = script.grant({"interface": "Records", "method": "Write", "protocol": PROTOCOL})
    invoked = {"permissionGrantId": grant["recordId"]}
    late = script.write(b"{}", send=False, protocol=PROTOCOL, protocolPath="note", signed=Signed(script.bob, invoked))
    script.ask(script.alice, "Messages", "Query", filters=[])
    script.configure({**DEFINITION, "types": {"note": {"dataFormats": ["text/plain"]}}})
    script.ask(script.alice, "Records", "Delete", recordId=grant["recordId"], prune=False)
    script.send(late, b"{}")
    script.ask(script.alice, "Messages", "Query", filters=[])
    for cid in (message_cid(script.steps[0].message), message_cid(grant)):
        script.ask(script.alice, "Messages", "Read", messageCid=cid)
    ours, theirs = await script.run(reference_engine)
    assert [one.code for one in ours] == [one.code for one in theirs]
    assert [one.reply.get("entries") for one in ours] == [one.reply.get("entries") for one in theirs]
    assert [one.reply.get("entry") for one in ours] == [one.reply.get("entry") for one in theirs]

    script.ask(script.alice, "Messages", "History")
    ours, theirs = await script.run(reference_engine)
    assert theirs[-1].code == "400 SchemaValidatorSchemaNotFound"
    assert ours[-1].reply["entries"] == [script.steps[0].message, authoring.with_data(grant, data)]
    handed = authoring.plain(
        {
            "interface": "Messages",
            "method": "Replicate",
            "messageTimestamp": script.time(),
            "messageCid": message_cid(late),
        },
        Signed(script.alice),
    )
    script.send({**handed, "message": late}, b"{}")
    ours, theirs = await script.run(reference_engine)
    assert theirs[-1].code == "400 SchemaValidatorSchemaNotFound"
    assert ours[-1].code == "202 Accepted"


async def test_forged_attestation(reference_engine: ReferenceScript, script: Script) -> None:
    """Attesters have signed."""
    message = script.write(b"x", send=False)
    attestation = jws({"descriptorCid": dag_cbor_cid(message["descriptor"])}, [script.alice])
    attestation["signatures"][0]["protected"] = script.bob.signature(attestation["payload"])["protected"]
    bare = {"recordId": message["recordId"], "descriptor": message["descriptor"], "attestation": attestation}
    script.send(authoring.sign_write(bare, Signed(script.alice)), b"x")
    ours, theirs = await script.last(reference_engine)
    assert (ours.code, theirs.code) == ("401 GeneralJwsVerifierInvalidSignature", "202 Accepted")


async def test_higher_s(reference_engine: ReferenceScript) -> None:
    """Signatures of secp256k1 have the lower S."""
    script = Script(cast(0)[3], cast(0)[1])
    script.send(other_s(script.write(b"x", send=False), "secp256k1"), b"x")
    ours, theirs = await script.last(reference_engine)
    assert (ours.code, theirs.code) == ("401 GeneralJwsVerifierInvalidSignature", "202 Accepted")


async def test_second_signature_of_the_same(reference_engine: ReferenceScript) -> None:
    """A message says something new."""
    script = Script(cast(0)[4], cast(0)[1])
    message = script.write(b"x", send=False)
    first, second = sorted((message, other_s(message, "P-256")), key=message_cid)
    script.send(first, b"x")
    script.send(second, b"x")
    ours, theirs = await script.last(reference_engine)
    assert (ours.code, theirs.code) == ("409", "202 Accepted")


async def test_second_initial_write_without_data(reference_engine: ReferenceScript, script: Script) -> None:
    """A write without data takes no data away."""
    for count in range(100):
        data = b"%d" % count
        message = script.write(data, send=False)
        bare = {"recordId": message["recordId"], "descriptor": message["descriptor"]}
        later = authoring.sign_write(bare, Signed(script.alice, owner=script.alice))
        if message_cid(later) > message_cid(message):
            break
    script.send(message, data)
    script.send(later)
    script.ask(script.alice, "Records", "Query", filter={"recordId": message["recordId"]})
    ours, theirs = await script.run(reference_engine)
    assert [one.code for one in ours] == ["202 Accepted", "409", "200 OK"]
    assert [one.code for one in theirs] == ["202 Accepted", "204 No Content", "200 OK"]
    assert (len(ours[-1].reply["entries"]), len(theirs[-1].reply["entries"])) == (1, 0)


async def test_key_that_is_for_encryption(reference_engine: ReferenceScript, script: Script) -> None:
    """Keys that sign are listed for authentication."""
    script = Script(for_encryption(script.alice), script.bob)
    script.write(b"x")
    ours, theirs = await script.last(reference_engine)
    assert (ours.code, theirs.code) == ("401 GeneralJwsVerifierGetPublicKeyNotFound", "202 Accepted")


def for_encryption(actor: Actor) -> Actor:
    """The same key, under a DID that says that it is for encryption."""
    public = {**{name: value for name, value in actor.private_jwk.items() if name != "d"}, "use": "enc"}
    did = f"did:jwk:{jws(public, [])['payload']}"
    return dataclasses.replace(actor, did=did, key_id=f"{did}#0")


async def test_padded_delegated_grant(reference_engine: ReferenceScript, script: Script) -> None:
    """The data of a delegated grant have one encoding."""
    script.configure()
    scope = {"interface": "Records", "method": "Write", "protocol": PROTOCOL}
    grant, data = script.grant(scope, delegated=True, description="")
    for description in ("a", "ab"):
        if len(data) % 3 == 0:
            grant, data = script.grant(scope, delegated=True, description=description)
    padded = {**grant, "encodedData": base64.urlsafe_b64encode(data).decode()}
    assert padded["encodedData"].endswith("=")
    script.write(b"{}", protocol=PROTOCOL, protocolPath="note", signed=Signed(script.bob, {}, padded))
    ours, theirs = await script.last(reference_engine)
    assert theirs.code == "202 Accepted"
    assert ours.code.startswith("400")


@pytest.mark.parametrize("count", [1, 2])
async def test_read_of_what_is_hidden(reference_engine: ReferenceScript, script: Script, count: int) -> None:
    """What one may not see does not exist."""
    for number in range(count):
        script.write(b"private", schema="https://example.com/s", tags={"pin": number})
    script.ask(None, "Records", "Read", filter={"schema": "https://example.com/s"})
    ours, theirs = await script.last(reference_engine)
    assert ours.code == "404"
    assert theirs.code == ("401 RecordsReadAuthorizationFailed" if count == 1 else "400 RecordsReadReturnedMultiple")


async def test_read_of_a_message_of_another(reference_engine: ReferenceScript, script: Script) -> None:
    """What one may not see does not exist."""
    script.ask(script.bob, "Messages", "Read", messageCid=message_cid(script.write(b"private")))
    ours, theirs = await script.last(reference_engine)
    assert (ours.code, theirs.code) == ("404", "401 MessagesReadAuthorizationFailed")


async def test_one_character_of_a_context(reference_engine: ReferenceScript, script: Script) -> None:
    """Contexts are whole segments."""
    script.configure(chat())
    script.thread(member=script.bob)
    other, _ = script.thread()
    hidden = script.post(other)
    filter = {"protocol": CHAT, "protocolPath": "thread/post", "contextId": other["contextId"][:1]}
    script.ask(script.bob, "Records", "Query", {"protocolRole": "thread/member"}, filter=filter)
    ours, theirs = await script.last(reference_engine)
    assert ours.reply.get("entries", []) == []
    assert [entry["recordId"] for entry in theirs.reply["entries"]] == [hidden["recordId"]]


@pytest.mark.parametrize("method", ["Query", "Subscribe", "Delete"])
async def test_grant_for_one_path(reference_engine: ReferenceScript, script: Script, method: str) -> None:
    """Grants narrow every method."""
    script.configure()
    note = script.write(b"{}", protocol=PROTOCOL, protocolPath="note")
    scope = {"interface": "Records", "method": method, "protocol": PROTOCOL, "protocolPath": "other"}
    grant, data = script.grant(scope, delegated=True)
    about = {"recordId": note["recordId"], "prune": False} if method == "Delete" else {"filter": {"protocol": PROTOCOL}}
    descriptor = {"interface": "Records", "method": method, "messageTimestamp": script.time(), **about}
    script.send(authoring.plain(descriptor, Signed(script.bob, {}, authoring.with_data(grant, data))))
    ours, theirs = await script.last(reference_engine)
    assert ours.code == "401 RecordsGrantAuthorizationScopeProtocolPathMismatch"
    assert theirs.code == ("202 Accepted" if method == "Delete" else "200 OK")


async def test_question_that_is_dated_back(reference_engine: ReferenceScript, script: Script) -> None:
    """Questions are judged by the node's clock."""
    grant, _ = script.grant({"interface": "Messages", "method": "Query", "protocol": PROTOCOL})
    script.ask(
        script.bob, "Messages", "Query", {"permissionGrantId": grant["recordId"]}, filters=[{"protocol": PROTOCOL}]
    )
    theirs = await run_theirs(reference_engine, [script.alice, script.bob], script.steps)
    ours = await OurRun.start(ManualClock(parse_timestamp("2025-05-01T00:00:00.000000Z")))
    assert [(await ours.outcome(step)).code for step in script.steps][-1] == "401 GrantAuthorizationGrantExpired"
    assert theirs[-1].code == "200 OK"


@pytest.mark.parametrize("minutes", [-11, 11])
async def test_question_out_of_its_time(reference_engine: ReferenceScript, script: Script, minutes: int) -> None:
    """Questions have their time."""
    script.write(b"private")
    script.ask(script.alice, "Records", "Query", filter={"dataFormat": "application/json"})
    theirs = await run_theirs(reference_engine, [script.alice], script.steps)
    clock = ManualClock(parse_timestamp(script.time(1)))
    ours = await OurRun.start(clock, WINDOW_SECONDS)
    await ours.outcome(script.steps[0])
    clock.us += minutes * 60_000_000
    assert (await ours.outcome(script.steps[1])).code == "401 TimestampOutsideWindow"
    assert len(theirs[1].reply["entries"]) == 1


async def test_subscription_of_yesterday(reference_engine: ReferenceScript, script: Script) -> None:
    """Questions have their time."""
    script.ask(script.alice, "Records", "Subscribe", filter={"dataFormat": "application/json"})
    script.write(b"today")
    theirs = await run_theirs(reference_engine, [script.alice], script.steps)
    ours = await OurRun.start(clock := ManualClock(parse_timestamp(script.time(0))), WINDOW_SECONDS)
    await ours.outcome(script.steps[0])
    clock.us += SUBSCRIPTION_SECONDS * 1_000_000
    assert (len((await ours.outcome(script.steps[1])).events), len(theirs[1].events)) == (0, 1)


async def test_message_of_the_future(reference_engine: ReferenceScript, script: Script) -> None:
    """Messages are not of the future."""
    script.write(b"of the future")
    theirs = await run_theirs(reference_engine, [script.alice], script.steps)
    ours = await OurRun.start(ManualClock(parse_timestamp("2024-04-30T23:49:59.000000Z")), WINDOW_SECONDS)
    assert (await ours.outcome(script.steps[0])).code == "400 TimestampAhead"
    assert theirs[0].code == "202 Accepted"


async def test_subscription_of_a_former_member(reference_engine: ReferenceScript, script: Script) -> None:
    """Subscriptions end with what allowed them."""
    script.configure(chat())
    thread, role = script.thread(member=script.bob)
    assert role is not None
    filter = {"protocol": CHAT, "protocolPath": "thread/post", "contextId": thread["contextId"]}
    script.ask(script.bob, "Records", "Subscribe", {"protocolRole": "thread/member"}, filter=filter)
    script.ask(script.alice, "Records", "Delete", recordId=role["recordId"], prune=False)
    script.post(thread)
    ours, theirs = await script.last(reference_engine)
    assert (len(ours.events), len(theirs.events)) == (0, 1)


async def test_pattern_without_end(reference_engine: ReferenceScript, script: Script) -> None:
    """Patterns that take too many steps."""
    texts = {"type": "array", "items": {"type": "string", "pattern": "a|" * (MAX_PATTERNS // 2) + "b"}}
    script.configure({**DEFINITION, "structure": {"note": {"$tags": {"a": texts}}}})
    script.write(b"{}", protocol=PROTOCOL, protocolPath="note", tags={"a": ["b"]})
    ours, theirs = await script.last(reference_engine)
    assert (ours.code, theirs.code) == ("400", "202 Accepted")


async def test_pattern_that_takes_for_ever(reference_engine: ReferenceScript, script: Script) -> None:
    """Patterns that take too many steps."""
    texts = {"type": "array", "items": {"type": "string", "pattern": "b$"}}
    script.configure({**DEFINITION, "structure": {"note": {"$tags": {"a": texts}}}})
    script.write(b"{}", protocol=PROTOCOL, protocolPath="note", tags={"a": ["a" * 250_000 + "b"]})
    ours, theirs = await script.last(reference_engine)
    assert ours.code == "400 ProtocolAuthorizationTagsInvalidSchema"
    assert theirs.code == "202 Accepted"
