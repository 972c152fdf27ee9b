"""The answers to a browser that shows what a DRL names.

Invariants:
1. What is private is given while the vault is unlocked, and to nobody else than whoever may read it here.
2. What is held here is given from here. Somebody else's DWNs are asked without a signature, so that they do not learn
   who looks; those of an identity of this agent, with its own.
3. Whatever comes has the headers of `web5.dwn.reading.content`: nothing in it runs.
4. An answer begins within `SECONDS`, and says in words why there is none. What may not be seen is not there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from web5.agent.agent import Agent
from web5.agent.delegation import operations
from web5.agent.delegation.actor import Actor
from web5.agent.drls.queries import answered
from web5.chunks import reading
from web5.dwn import compose
from web5.dwn.data import DataStream, data_of
from web5.dwn.encryption.content import BLOCK, ContentKey
from web5.dwn.reading.conditions import NotSatisfiable, wanted
from web5.dwn.reading.content import CONFINED, TEXT, content_headers
from web5.dwn.reading.drl import Drl, DrlQuery
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.errors import (
    BadRequest,
    BlobMissing,
    DelegationError,
    DidError,
    DwnError,
    EncryptionError,
    Forbidden,
    IdentityError,
    InvalidArgument,
    NotFound,
    RemoteError,
    StorageError,
    TargetUnresolved,
    TimedOut,
    Unauthorized,
    VaultLocked,
    Web5Error,
)

SECONDS = 45.0

NOT_KEPT = {"cache-control": "no-store"}

NOT_THERE = "There is no such record, or it is not published, or it has not come to this device yet."
LOCKED = "What is private is shown once this is unlocked."


@dataclass(frozen=True)
class Answer:
    """A response of HTTP.

    Parameters:
        data: its body; without one, `words` say why.
    """

    status: int
    headers: dict[str, str]
    data: DataStream


@dataclass(frozen=True)
class _Found:
    """A record with its data.

    Parameters:
        key: that decrypts them.
        held: True if they are held here, so that they can be read from any byte on.
    """

    write: Message
    data: DataStream
    key: ContentKey | None = None
    held: bool = field(default=False, kw_only=True)


async def answer(agent: Agent, address: str, conditions: Mapping[str, str]) -> Answer:
    """Answer a browser that asks for a DRL.

    Parameters:
        conditions: the headers `range` and `if-range` of its request.
    """
    try:
        async with asyncio.timeout(SECONDS):
            if (question := DrlQuery.parse(address)) is not None:
                return _json(await answered(agent, question, _own_actor(agent, question.did)))
            return await _answer(agent, Drl.parse(address), conditions)
    except TimeoutError:
        return _refusal(504, f"Nobody answered within {SECONDS:.0f} seconds.")
    except Web5Error as error:
        status, words = _told(error)
        if status == 404 and agent.vault.state == "locked":
            return _refusal(403, LOCKED)
        return _refusal(status, words)


async def _answer(agent: Agent, drl: Drl, conditions: Mapping[str, str]) -> Answer:
    if drl.record_id is None and drl.protocol is None:
        return await _document(agent, drl.did)
    found = await _find(agent, drl)
    size = int(found.write["descriptor"]["dataSize"])
    etag = f'"{message_cid(found.write)}"'
    headers = {"etag": etag, "accept-ranges": "bytes", **NOT_KEPT, **content_headers(found.write)}
    try:
        part = wanted(conditions, etag, size)
    except NotSatisfiable:
        await found.data.close()
        return Answer(416, {"content-range": f"bytes */{size}", **NOT_KEPT, **CONFINED}, DataStream(b""))
    start, end = part or (0, size)
    headers["content-length"] = str(end - start)
    if part is not None:
        headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
    read = partial(_part, agent, found, start, end - start)
    return Answer(200 if part is None else 206, headers, DataStream(read, end - start, close=found.data.close))


async def _document(agent: Agent, did: str) -> Answer:
    result = (await agent.resolver.resolve(did)).to_wire()
    if result.get("didDocument") is None:
        code = str(result.get("didResolutionMetadata", {}).get("error", "internalError"))
        raise DidError(code, f"{did} cannot be resolved.")
    return _json(result)


def _json(value: Any) -> Answer:
    data = json.dumps(value).encode()
    headers = {"content-type": "application/json", "content-length": str(len(data)), **NOT_KEPT, **CONFINED}
    return Answer(200, headers, DataStream(data))


# -- finding


async def _find(agent: Agent, drl: Drl) -> _Found:
    for actor in _actors(agent, drl.did):
        if (found := await _held(agent, actor, drl)) is not None:
            return found
    return await _published(agent, drl) or await _own(agent, drl)


def _actors(agent: Agent, did: str) -> Iterator[Actor]:
    """Give those of this agent in whose DWN here a record may be: that of the DID first, then the one in use."""
    if agent.vault.state != "unlocked":
        return
    chosen = agent.identities.chosen()
    for one in agent.identities.list():
        if did == (one.connected_did or one.did):
            yield _actor(agent, one.did, one.connected_did)
    if chosen is not None and did != (chosen.connected_did or chosen.did):
        yield _actor(agent, chosen.did, chosen.connected_did)


def _own_actor(agent: Agent, did: str) -> Actor | None:
    """Return the one whose DID it is, if it is an identity of this agent."""
    return next((one for one in _actors(agent, did) if one.did == did), None)


def _actor(agent: Agent, did: str, connected_did: str | None) -> Actor:
    return agent.actor(did, None) if connected_did is None else agent.actor(connected_did, did)


async def _held(agent: Agent, actor: Actor, drl: Drl) -> _Found | None:
    try:
        record_id = drl.record_id
        if record_id is None:
            if actor.did != drl.did or (record_id := await _newest_held(agent, actor, drl)) is None:
                return None
        elif not await agent.held.record(actor.did, record_id):
            return None
        context = await actor.authorize(operations.read({"recordId": record_id}))
        read = partial(compose.records_read, context.signer, filter={"recordId": record_id}, **context.invocation)
        return await _opened(agent, actor, await agent.messages.ask(actor.did, None, read), held=True)
    except (BlobMissing, DelegationError, Forbidden, IdentityError, NotFound, Unauthorized):
        return None  # it may be elsewhere


async def _newest_held(agent: Agent, actor: Actor, drl: Drl) -> str | None:
    """Return the record at a place of a protocol that was published last or, if none was, made last."""
    for published, sort in ((True, "publishedDescending"), (False, "createdDescending")):
        filter = {"protocol": drl.protocol, "protocolPath": drl.protocol_path, "published": published}
        context = await actor.authorize(operations.query(filter))
        query = partial(compose.records_query, context.signer, filter=filter, date_sort=sort, pagination={"limit": 1})
        reply = await agent.messages.ask(actor.did, None, partial(query, **context.invocation))
        if reply["entries"]:
            return str(reply["entries"][0]["recordId"])
    return None


async def _published(agent: Agent, drl: Drl) -> _Found | None:
    """Return what anybody may read in the DWNs of the DID."""
    try:
        record_id = drl.record_id
        if record_id is None:
            filter = {"protocol": drl.protocol, "protocolPath": drl.protocol_path}
            pages: Any = {"limit": 1}
            query = await compose.records_query(
                None, agent.clock, filter=filter, date_sort="publishedDescending", pagination=pages
            )
            entries = (await agent.messages.request(drl.did, query))["entries"]
            if not entries:
                return None
            record_id = str(entries[0]["recordId"])
        read = await compose.records_read(None, agent.clock, filter={"recordId": record_id})
        reply = await agent.messages.request(drl.did, read)
    except (Forbidden, NotFound, Unauthorized):
        return None
    if "encryption" in reply["entry"]["recordsWrite"]:
        await _close(reply)  # nobody's key is tried, which might have to be asked for, with a signature
        return None
    return await _opened(agent, None, reply)


async def _own(agent: Agent, drl: Drl) -> _Found:
    """Return what is not published, and has not come here, of an identity of this agent."""
    actor = _own_actor(agent, drl.did)
    if actor is None or drl.record_id is None:
        raise NotFound("", NOT_THERE)
    filter = {"recordId": drl.record_id}
    context = await actor.authorize(operations.read(filter), actor.did)
    read = partial(compose.records_read, context.signer, filter=filter, **context.invocation)
    return await _opened(agent, actor, await agent.messages.ask(actor.did, actor.did, read))


async def _opened(agent: Agent, actor: Actor | None, reply: dict[str, Any], *, held: bool = False) -> _Found:
    write, data = reply["entry"]["recordsWrite"], data_of(reply)
    if data is None:
        raise BlobMissing("The record is there, and its data are not.")
    try:
        key = None
        if "encryption" in write and actor is not None:
            key = await agent.record_keys.content_key(actor.did, write)
        return _Found(write, data, key, held=held)
    except BaseException:
        await data.close()
        raise


async def _close(reply: dict[str, Any]) -> None:
    if (data := data_of(reply)) is not None:
        await data.close()


# -- reading


async def _part(agent: Agent, found: _Found, start: int, size: int) -> AsyncIterator[bytes]:
    """Give a part of a record's data, in the clear."""
    begin = start - start % BLOCK if found.held else 0
    chunks = found.data.chunks_from(begin) if found.held else aiter(found.data)
    if found.key is not None:
        chunks = found.key.at(begin // BLOCK).crypt(agent.crypto, chunks)
    skip = start - begin
    async with reading(chunks) as incoming:
        async for chunk in incoming:
            if found.held and agent.vault.state != "unlocked":
                raise VaultLocked(LOCKED)
            part = chunk[skip : skip + size]
            skip = max(0, skip - len(chunk))
            size -= len(part)
            if part:
                yield part
            if size <= 0:
                return


# -- refusing


def _refusal(status: int, words: str) -> Answer:
    return Answer(status, {"content-type": TEXT, **NOT_KEPT, **CONFINED}, DataStream(words.encode()))


def _told(error: Web5Error) -> tuple[int, str]:
    """Return the status of HTTP for a failure, and its words."""
    match error:
        case InvalidArgument() | BadRequest():
            return 400, str(error)
        case VaultLocked():
            return 403, LOCKED
        case EncryptionError():
            return 403, "The record is encrypted, and no key that opens it is here."
        case BlobMissing() | DelegationError() | Forbidden() | IdentityError() | NotFound() | Unauthorized():
            return 404, NOT_THERE
        case TargetUnresolved() | DidError():
            return (404 if error.code in ("notFound", "invalidDid") else 502), str(error)
        case TimedOut():
            return 504, str(error)
        case RemoteError() | DwnError():
            return 502, str(error)
        case StorageError():
            return 503, str(error)
        case _:
            return 500, "The node here failed."
