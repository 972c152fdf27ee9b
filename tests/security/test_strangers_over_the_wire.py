"""What strangers, members and delegates try at a running node, over HTTP and WebSockets, and what holds."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.security import scenes
from tests.security.mutants import SIGNATURES
from tests.security.scenes import Maker
from tests.security.wire import Wire, over_the_wire
from tests.unit.dwn.chat import URI as CHAT
from tests.unit.dwn.chat import chat, install, member, post_to, thread
from tests.unit.dwn.conftest import World
from tests.unit.dwn.permissions.permits import revoke, with_other_data
from tests.unit.dwn.persons import ENCRYPTION, Person, SteppingClock, our_engine, person
from web5.cpython.crypto import CPythonCrypto
from web5.crypto.encoding import b64url_encode
from web5.crypto.jose.jws import MessageSigner
from web5.dids.jwk import create
from web5.dwn import compose
from web5.dwn.permissions.compose import permission_grant
from web5.dwn.permissions.grants import split_encoded_data
from web5.dwn.values.cid import dag_cbor_cid, data_cid, message_cid
from web5.dwn.values.timestamps import format_timestamp

Message = dict[str, Any]
HOUR = 3_600_000_000


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    clock = SteppingClock()
    async with over_the_wire(World(await our_engine(clock), clock, *[await person() for _ in range(3)])) as wire:
        yield wire


# -- messages under an unbroken signature


def encoded(value: Any) -> str:
    return b64url_encode(json.dumps(value).encode())


def with_attestation(message: Message, salt: int) -> Message:
    protected = encoded({"alg": "EdDSA", "kid": f"did:example:nobody#{salt}"})
    payload = encoded({"descriptorCid": dag_cbor_cid(message["descriptor"])})
    return {**message, "attestation": {"payload": payload, "signatures": [{"protected": protected, "signature": "AA"}]}}


def with_encryption(message: Message, salt: int) -> Message:
    [key] = ENCRYPTION["keyEncryption"]
    return {**message, "encryption": {**ENCRYPTION, "keyEncryption": [{**key, "rootKeyId": f"x{salt}"}]}}


def with_member(message: Message, salt: int) -> Message:
    message["authorization"]["signature"]["signatures"][0]["x"] = salt
    return message


def respelled(message: Message, salt: int) -> Message:
    entry = message["authorization"]["signature"]["signatures"][0]
    entry["signature"] = SIGNATURES[salt % len(SIGNATURES)](entry["signature"])
    return message


@pytest.mark.parametrize("change", [with_attestation, with_encryption, with_member, respelled])
@pytest.mark.parametrize("curve", ["Ed25519", "secp256k1", "P-256"])
async def test_a_changed_copy_of_what_is_published_erases_nothing(
    change: Callable[[Message, int], Message], curve: str
) -> None:
    world = await scenes.start(curve)
    async with over_the_wire(world) as wire:
        held = (await scenes.published(wire)).message
        scene = scenes.Scene(wire, held, b"hello", held["recordId"])
        before = await scene.state()
        seen = (await wire.read(by=None, recordId=held["recordId"]))["entry"]["recordsWrite"]
        for salt in range(16):
            try:
                copied = change(copy.deepcopy(seen), salt)
            except Exception:  # the signature has no such spelling
                continue
            if message_cid(copied) != message_cid(held):
                for data in (None, b"hello"):
                    assert (await wire.status(copied, data))[0] in (400, 401, 409)
        assert await scene.state() == before


@pytest.mark.parametrize("make", [scenes.owned, scenes.by_delegate, scenes.attested, scenes.configure])
async def test_a_copy_of_what_is_signed_twice_erases_nothing(make: Maker) -> None:
    """The owner's signature, the attestation, or the grant that comes along, is left out or put in another place."""
    async with over_the_wire(await scenes.start("Ed25519")) as wire:
        scene = await make(wire)
        before = await scene.state()
        for place in [*scene.message["authorization"], "attestation"]:
            copied = copy.deepcopy(scene.message)
            if copied.pop(place, None) is None and copied["authorization"].pop(place, None) is None:
                continue
            for data in (None, scene.data):
                assert (await wire.status(copied, data))[0] >= 400
        assert await scene.state() == before


# -- questions about what one may not see


@pytest.mark.parametrize("asker", ["nobody", "a stranger"])
async def test_no_filter_tells_anything_of_what_is_hidden(wire: Wire, asker: str) -> None:
    """Each filter that fits Alice's private record is answered as one that fits none, to the last letter."""
    asks = {"nobody": None, "a stranger": wire.carol}[asker]
    await install(wire, {**chat(), "published": False})
    first = await thread(wire, data=b"secret", recipient=wire.bob.did, tags={"pin": 48213, "word": "secret"})
    hidden = await wire.write(
        data=b"secret stuff",
        recipient=wire.bob.did,
        tags={"pin": 48213, "word": "secret", "true": True},
        schema="https://health.example/result",
        data_format="application/json",
        attestation_signers=[wire.bob.signer],
    )
    posted = await post_to(wire, first, data=b"x")
    assert await wire.status(posted, b"x") == (202, "Accepted")
    made = hidden["descriptor"]["dateCreated"]
    size = hidden["descriptor"]["dataSize"]
    fitting: list[tuple[Message, Message]] = [
        ({"schema": "https://health.example/result"}, {"schema": "https://health.example/other"}),
        ({"recipient": wire.bob.did}, {"recipient": "did:example:nobody"}),
        ({"recipient": [wire.bob.did, "did:example:x"]}, {"recipient": ["did:example:y", "did:example:x"]}),
        ({"author": wire.alice.did}, {"author": "did:example:nobody"}),
        ({"attester": wire.bob.did}, {"attester": "did:example:nobody"}),
        ({"dataFormat": "application/json"}, {"dataFormat": "text/html"}),
        ({"dataSize": {"gte": size, "lte": size}}, {"dataSize": {"gt": size * 1000}}),
        ({"dataCid": data_cid(b"secret stuff")}, {"dataCid": data_cid(b"other stuff")}),
        ({"dateCreated": {"from": made}}, {"dateCreated": {"from": "2999-01-01T00:00:00.000000Z"}}),
        ({"dateUpdated": {"from": made}}, {"dateUpdated": {"from": "2999-01-01T00:00:00.000000Z"}}),
        ({"tags": {"pin": 48213}}, {"tags": {"pin": 48214}}),
        ({"tags": {"pin": {"gte": 48213}}}, {"tags": {"pin": {"gt": 48213}}}),
        ({"tags": {"word": {"startsWith": "se"}}}, {"tags": {"word": {"startsWith": "sf"}}}),
        ({"tags": {"true": True}}, {"tags": {"true": False}}),
        ({"published": False, "schema": "https://health.example/result"}, {"published": False, "schema": "urn:x"}),
        ({"protocol": CHAT, "protocolPath": "thread"}, {"protocol": CHAT, "protocolPath": "thread/image"}),
        ({"contextId": first["contextId"]}, {"contextId": hidden["recordId"]}),
        ({"contextId": first["contextId"][:7]}, {"contextId": "none"}),
        ({"parentId": first["recordId"]}, {"parentId": hidden["recordId"]}),
        ({"recordId": hidden["recordId"], "tags": {"pin": 48213}}, {"recordId": "none", "tags": {"pin": 48213}}),
        ({"recordId": hidden["recordId"], "published": False}, {"recordId": "none", "published": False}),
    ]
    signer = asks and asks.signer
    for fits, none in fitting:
        for ask in (compose.records_read, compose.records_query):
            answers = [await wire.send(await ask(signer, wire.clock, filter=filter)) for filter in (fits, none)]
            assert answers[0] == answers[1], fits
        assert (await wire.read(by=wire.alice, **fits))["status"]["code"] in (200, 400)
    for record_id, code in ((hidden["recordId"], 401), ("none", 404)):
        assert (await wire.read(by=asks, recordId=record_id))["status"]["code"] == code
    protocols = [
        await wire.send(await compose.protocols_query(signer, wire.clock, protocol=uri)) for uri in (CHAT, "http://x")
    ]
    assert protocols[0] == protocols[1]
    if signer is not None:
        cids = (message_cid(hidden), message_cid(await wire.compose()))
        answers = [await wire.send(await compose.messages_read(signer, wire.clock, message_cid=cid)) for cid in cids]
        assert answers[0] == answers[1]
        answers = [
            await wire.send(await compose.messages_query(signer, wire.clock, filters=[{"protocol": uri}]))
            for uri in (CHAT, "http://x")
        ]
        assert answers[0] == answers[1]


async def test_subscriptions_tell_nothing_of_what_is_hidden(wire: Wire) -> None:
    tags = {"pin": 1}
    for asks in (None, wire.carol):
        message = await compose.records_subscribe(asks and asks.signer, wire.clock, filter={"tags": tags})
        async with wire.subscribed(message) as (status, heard):
            assert status["code"] == 200
            await wire.write(tags=tags, recipient=wire.bob.did)
            seen = await wire.write(tags=tags, published=True)
            assert await heard.next() == seen["recordId"]


# -- contexts are whole segments


async def two_threads(wire: Wire) -> tuple[list[Message], list[Message], Message]:
    """Two threads with a post in each, and the record by which Bob is a member of the first."""
    await install(wire, chat())
    threads = [await thread(wire) for _ in range(2)]
    posts = []
    for one in threads:
        posts.append(await post_to(wire, one))
        assert await wire.status(posts[-1], b"hello") == (202, "Accepted")
    return threads, posts, await member(wire, threads[0], wire.bob)


async def test_a_role_in_one_thread_opens_no_other(wire: Wire) -> None:
    threads, posts, _ = await two_threads(wire)

    async def ask(by: Person, context: str) -> Any:
        filter = {"protocol": CHAT, "protocolPath": "thread/post", "contextId": context}
        query = await compose.records_query(by.signer, wire.clock, filter=filter, protocol_role="thread/member")
        return await wire.send(query)

    own, other = (one["contextId"] for one in threads)
    answer = await ask(wire.bob, own)
    assert [entry["recordId"] for entry in answer["entries"]] == [posts[0]["recordId"]]
    for context in (other, own[:-1], "bafyrei", "b", "", f"{own}/x"):
        assert (await ask(wire.bob, context)).get("entries", []) == []
    for context in (own, other, "b"):
        assert (await ask(wire.carol, context))["status"]["code"] == 401
    for post, code in zip(posts, (200, 404), strict=True):
        filter = {"recordId": post["recordId"], "protocol": CHAT}
        read = await compose.records_read(wire.bob.signer, wire.clock, filter=filter, protocol_role="thread/member")
        assert (await wire.send(read))["status"]["code"] == code


async def test_a_subscription_hears_its_own_thread_until_the_role_ends(wire: Wire) -> None:
    threads, _, role = await two_threads(wire)

    async def post(number: int) -> str:
        message = await post_to(wire, threads[number])
        assert await wire.status(message, b"hello") == (202, "Accepted")
        return str(message["recordId"])

    async def subscription(by: Person, context: str, role: str | None) -> Message:
        filter = {"protocol": CHAT, "protocolPath": "thread/post", "contextId": context}
        return await compose.records_subscribe(by.signer, wire.clock, filter=filter, protocol_role=role)

    for context in (threads[1]["contextId"], "b"):
        async with wire.subscribed(await subscription(wire.bob, context, "thread/member")) as (status, _):
            assert status["code"] == 401
    async with (
        wire.subscribed(await subscription(wire.bob, threads[0]["contextId"], "thread/member")) as (_, heard),
        wire.subscribed(await compose.records_subscribe(wire.alice.signer, wire.clock, filter={"protocol": CHAT})) as (
            _,
            all_heard,
        ),
    ):
        await post(1)
        own = await post(0)
        assert await heard.next() == own
        assert await wire.status(await wire.delete(role)) == (202, "Accepted")
        last = await post(0)
        while await all_heard.next() != last:
            pass
        assert heard.events.empty()


# -- grants


NOTES = {
    "protocol": "https://example.com/notes",
    "published": False,
    "types": {"note": {}, "diary": {}},
    "structure": {"note": {}, "diary": {}},
}
PROTOCOL = NOTES["protocol"]


async def two_kinds(wire: Wire) -> dict[str, Message]:
    await install(wire, NOTES)
    return {path: await wire.write(protocol=PROTOCOL, protocol_path=path) for path in ("note", "diary")}


async def granted(wire: Wire, method: str, *, ends: int = HOUR, interface: str = "Records", **scope: Any) -> Message:
    """A delegated grant of Alice's to Bob, in her DWN."""
    record = await permission_grant(
        wire.alice.signer,
        wire.clock,
        granted_to=wire.bob.did,
        date_expires=format_timestamp(wire.clock.now() + ends),
        delegated=True,
        scope={"interface": interface, "method": method, "protocol": PROTOCOL, **scope},
    )
    assert await wire.status(*split_encoded_data(record)) == (202, "Accepted")
    return record


Ask = Callable[[Wire, Message, Message, Message], Awaitable[Message]]


async def query(wire: Wire, grant: Message, filter: Message, _record: Message) -> Message:
    return await compose.records_query(wire.bob.signer, wire.clock, filter=filter, delegated_grant=grant)


async def subscribe(wire: Wire, grant: Message, filter: Message, _record: Message) -> Message:
    return await compose.records_subscribe(wire.bob.signer, wire.clock, filter=filter, delegated_grant=grant)


async def read(wire: Wire, grant: Message, _filter: Message, record: Message) -> Message:
    filter = {"recordId": record["recordId"]}
    return await compose.records_read(wire.bob.signer, wire.clock, filter=filter, delegated_grant=grant)


async def delete(wire: Wire, grant: Message, _filter: Message, record: Message) -> Message:
    return await wire.delete(record, by=wire.bob, delegated_grant=grant)


METHODS: dict[str, Ask] = {"Query": query, "Subscribe": subscribe, "Read": read, "Delete": delete}


async def code_of(wire: Wire, message: Message) -> int:
    if message["descriptor"]["method"] != "Subscribe":
        return int((await wire.send(message))["status"]["code"])
    async with wire.subscribed(message) as (status, _):
        return int(status["code"])


@pytest.mark.parametrize("narrowed", ["protocolPath", "contextId"])
@pytest.mark.parametrize("method", METHODS)
async def test_a_grant_is_for_its_path_and_its_context_alone(wire: Wire, method: str, narrowed: str) -> None:
    records = await two_kinds(wire)
    scopes = {name: {"protocolPath": name, "contextId": record["contextId"]} for name, record in records.items()}
    grant = await granted(wire, method, **{narrowed: scopes["note"][narrowed]})
    for filter, record in (
        ({"protocol": PROTOCOL}, records["diary"]),
        ({"protocol": PROTOCOL, narrowed: scopes["diary"][narrowed]}, records["diary"]),
    ):
        assert await code_of(wire, await METHODS[method](wire, grant, filter, record)) == 401
    filter = {"protocol": PROTOCOL, narrowed: scopes["note"][narrowed]}
    assert await code_of(wire, await METHODS[method](wire, grant, filter, records["note"])) in (200, 202)


@pytest.mark.parametrize("end", ["expired", "revoked"])
@pytest.mark.parametrize("method", ["Query", "Subscribe", "Read"])
async def test_a_question_that_is_dated_back_does_not_bring_a_grant_back(wire: Wire, method: str, end: str) -> None:
    records = await two_kinds(wire)
    grant = await granted(wire, method, ends=10_000_000)
    asked = [await METHODS[method](wire, grant, {"protocol": PROTOCOL}, records["note"]) for _ in range(2)]
    assert await code_of(wire, asked[0]) == 200
    if end == "revoked":
        await revoke(wire, grant)
    else:
        wire.clock.us += 20_000_000
    assert await code_of(wire, asked[1]) == 401


async def test_a_subscription_ends_with_its_grant(wire: Wire) -> None:
    await two_kinds(wire)
    grant = await granted(wire, "Subscribe", ends=10_000_000)
    everything = await compose.records_subscribe(wire.alice.signer, wire.clock, filter={"protocol": PROTOCOL})
    async with (
        wire.subscribed(await subscribe(wire, grant, {"protocol": PROTOCOL}, {})) as (status, heard),
        wire.subscribed(everything) as (_, all_heard),
    ):
        assert status["code"] == 200
        first = await wire.write(protocol=PROTOCOL, protocol_path="note")
        assert await heard.next() == await all_heard.next() == first["recordId"]
        wire.clock.us += 20_000_000
        later = await wire.write(protocol=PROTOCOL, protocol_path="note")
        assert await all_heard.next() == later["recordId"]
        assert heard.events.empty()


async def test_a_grant_is_what_its_grantor_signed_for_whom(wire: Wire) -> None:
    await two_kinds(wire)
    grant = await granted(wire, "Query")
    says = {"dateExpires": "2999-01-01T00:00:00.000000Z", "delegated": True}
    wider = with_other_data(grant, {**says, "scope": {"interface": "Records", "method": "Query"}})
    by_bob = await permission_grant(
        wire.bob.signer,
        wire.clock,
        granted_to=wire.carol.did,
        date_expires=says["dateExpires"],
        delegated=True,
        scope={"interface": "Records", "method": "Query", "protocol": PROTOCOL},
    )
    for signer, used in ((wire.bob, wider), (wire.carol, grant), (wire.carol, by_bob)):
        message = await compose.records_query(
            signer.signer, wire.clock, filter={"protocol": PROTOCOL}, delegated_grant=used
        )
        answer = await wire.send(message)
        assert answer.get("entries", []) == []
        assert answer["status"]["code"] in (400, 401) or used is by_bob


# -- signatures


HEADERS: dict[str, Message] = {
    "no algorithm": {"alg": "none"},
    "a shared secret": {"alg": "HS256"},
    "a key within": {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}},
    "no fragment": {"kid": ""},
    "another key": {"kid": "#1"},
    "several keys": {"kid": ["#0"]},
    "something critical": {"crit": ["b64"], "b64": False},
}


@pytest.mark.parametrize("header", HEADERS)
async def test_a_header_that_was_not_signed_is_refused(wire: Wire, header: str) -> None:
    await wire.write()
    message = await compose.records_query(wire.alice.signer, wire.clock, filter={"dataFormat": "text/plain"})
    [entry] = message["authorization"]["signature"]["signatures"]
    says: Message = {"alg": "EdDSA", "kid": "#0", **HEADERS[header]}
    if isinstance(says["kid"], str):
        says["kid"] = wire.alice.did + says["kid"]
    for signature in (entry["signature"], "AA"):
        entry |= {"protected": encoded(says), "signature": signature}
        answer = await wire.send(message)
        assert (answer["status"]["code"] in (400, 401), answer.get("entries")) == (True, None)


async def test_nobody_signs_as_somebody_else(wire: Wire) -> None:
    held = await wire.write()
    alice, carol = wire.alice, wire.carol
    impostors = [
        *(MessageSigner(key_id, carol.signer.raw) for key_id in (alice.signer.key_id, f"{alice.did}#{carol.did}#0")),
        MessageSigner(f"{carol.did}#{alice.did}#0", carol.signer.raw),
        *(MessageSigner(f"{alice.did}{alias}#0", alice.signer.raw) for alias in ("?x=1", "/p", ";a=b")),
    ]
    for signer in impostors:
        message = await compose.records_query(signer, wire.clock, filter={"dataFormat": "text/plain"})
        assert (await wire.send(message))["status"]["code"] in (400, 401)
        write = await compose.records_write(signer, wire.clock, data=b"x", data_format="text/plain")
        assert (await wire.status(write, b"x"))[0] in (400, 401)
        update = await compose.records_write(signer, wire.clock, existing=held, data=b"x")
        assert (await wire.status(update, b"x"))[0] in (400, 401)
    assert len(await wire.log()) == 1


async def test_one_signature_over_this_very_descriptor(wire: Wire) -> None:
    await wire.write()
    ask = await compose.records_query(wire.alice.signer, wire.clock, filter={"dataFormat": "text/plain"})
    other = await compose.records_query(wire.carol.signer, wire.clock, filter={"dataFormat": "text/plain"})
    [mine], [theirs] = (one["authorization"]["signature"]["signatures"] for one in (ask, other))
    for signatures in ([mine, mine], [theirs, mine], [theirs], []):
        message = copy.deepcopy(ask)
        message["authorization"]["signature"]["signatures"] = signatures
        assert (await wire.send(message))["status"]["code"] in (400, 401)
    message = copy.deepcopy(ask)
    message["descriptor"]["filter"] = {"schema": "https://x.example"}
    assert (await wire.send(message))["status"]["code"] == 400


async def test_a_key_for_encryption_and_a_forged_attestation_are_refused(wire: Wire) -> None:
    crypto = CPythonCrypto()
    portable = await create(crypto, "secp256k1", use="enc")
    signer = MessageSigner(f"{portable.uri}#0", await crypto.signer(portable.private_keys[0]))
    write = await compose.records_write(signer, wire.clock, data=b"x", data_format="text/plain")
    assert await wire.status(write, b"x", tenant=Person(portable.uri, signer)) == (
        401,
        "GeneralJwsVerifierGetPublicKeyNotFound",
    )
    as_bob = MessageSigner(wire.bob.signer.key_id, wire.carol.signer.raw)
    for forged in (with_attestation(await wire.compose(), 0), await wire.compose(attestation_signers=[as_bob])):
        assert (await wire.status(forged, b"hello"))[0] in (400, 401)
    assert await wire.log() == []


async def test_ids_sizes_and_data_are_those_that_were_signed(wire: Wire) -> None:
    held = await wire.write(data=b"x" * 50_000)
    sent = {"data": b"good", "data_format": "text/plain"}
    for change in ({"recordId": held["recordId"]}, {"contextId": "abc"}):
        assert (await wire.status({**await wire.compose(**sent), **change}, b"good"))[0] == 400
    assert await wire.status(await wire.compose(**sent), b"evil") == (400, "RecordsWriteDataCidMismatch")
    for size in (3, -1, 2**60):
        about = {"data": None, "data_cid": data_cid(b"good"), "data_size": size}
        assert (await wire.status(await wire.compose(**about), b"good"))[0] == 400
    # Whoever knows the CID of another's data does not get them by it.
    about = {"data": None, "data_cid": data_cid(b"x" * 50_000), "data_size": 50_000, "by": wire.bob}
    claimed = await wire.compose(**about)
    assert (await wire.status(claimed, tenant=wire.bob))[0] == 204
    ask = await compose.records_read(wire.bob.signer, wire.clock, filter={"recordId": claimed["recordId"]})
    assert (await wire.send(ask, tenant=wire.bob))["status"]["code"] == 404
