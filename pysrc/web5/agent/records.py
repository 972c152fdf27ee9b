"""Encrypted records of the agent's own tenant, in which it keeps what it must not lose, so that sync carries them.

Invariants:
1. What is in a record, its kind and its name included, is readable only with the vault's content key; nodes see no more
   than how many there are, and how large.
2. Records of the same kind and id, which two devices may have made at the same time, count as one: the newest.
3. `on_change` is called after a change is durable, whoever made it.
4. With the vault locked nothing is remembered here, and nothing can be read.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from web5.agent.requests.messages import Messages
from web5.crypto.encoding import b64url_decode
from web5.crypto.jose.jws import MessageSigner
from web5.dwn import Applied, compose
from web5.dwn.data import DataStream
from web5.dwn.values.cid import bare_message
from web5.dwn.values.types import Message
from web5.errors import Conflict, CryptoError, IdentityError, NotFound
from web5.ports.clock import Clock
from web5.strict_json import parse_own
from web5.tasks import report

log = logging.getLogger(__name__)

PROTOCOL = "https://web5-py/protocols/agent-records"
DATA_FORMAT = "application/jose"
DEFINITION = {
    "protocol": PROTOCOL,
    "published": False,
    "types": {"secret": {"dataFormats": [DATA_FORMAT]}},
    "structure": {"secret": {}},
}
PAGE = 100
"""Records in one query."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Entry:
    key: Key
    message: Message
    jwe: str


class Cipher(Protocol):
    """Encrypts and decrypts with the content key of a vault: an unlocked one, or one that is to be."""

    async def encrypt(self, plaintext: bytes) -> str: ...

    async def decrypt(self, jwe_text: str) -> bytes: ...


class AgentRecords:
    """Values by kind and id.

    Attributes:
        on_change: called with the kind and the id of what was put, deleted, or came by sync.
    """

    def __init__(self, messages: Messages, vault: Cipher, clock: Clock) -> None:
        self.on_change: list[Callable[[str, str], Awaitable[None]]] = []
        self._messages = messages
        self._vault = vault
        self._clock = clock
        self._signer: MessageSigner | None = None
        self._entries: dict[str, _Entry] = {}
        self._stale: set[str] = set()
        self._reading: asyncio.Task[None] | None = None
        self._one_writer = asyncio.Lock()

    async def open(self, signer: MessageSigner, *, configure: bool = True) -> None:
        """Read everything; the vault is unlocked.

        Parameters:
            signer: signs as the agent.
            configure: make ready for `put`, too.

        Raises:
            VaultLocked: it was locked meanwhile.
        """
        self.close()
        self._signer = signer
        if configure:
            await self.configure()
        async for message, jwe in self._stored({"protocol": PROTOCOL}):
            await self._remember(message, jwe)

    def close(self) -> None:
        """Forget everything, since the vault is being locked."""
        if self._reading:
            self._reading.cancel()
            self._reading = None
        self._signer = None
        self._entries.clear()
        self._stale.clear()

    async def configure(self) -> None:
        """Make ready for `put`."""
        signer = self._agent()
        query = await compose.protocols_query(signer, self._clock, protocol=PROTOCOL)
        if not (await self._process(query))["entries"]:
            await self._process(await compose.protocols_configure(signer, self._clock, definition=DEFINITION))

    @property
    def did(self) -> str | None:
        """The agent's DID, while they are open."""
        return self._signer.did if self._signer else None

    def ids(self, kind: str) -> list[str]:
        """Return the ids of a kind, the oldest first."""
        oldest_first = sorted(self._entries.values(), key=lambda entry: entry.message["descriptor"]["dateCreated"])
        return list(dict.fromkeys(entry.key[1] for entry in oldest_first if entry.key[0] == kind))

    def all_keys(self) -> list[Key]:
        """Return kind and id of all values."""
        return list(dict.fromkeys(entry.key for entry in self._entries.values()))

    def dated(self, key: Key) -> str:
        """Return when a value was put last; an empty text if there is none."""
        entry = self._newest(key)
        return "" if entry is None else str(entry.message["descriptor"]["messageTimestamp"])

    async def get(self, kind: str, id: str) -> Any:
        """Return a value, or None if there is none.

        Raises:
            VaultLocked: the vault is locked.
        """
        entry = self._newest((kind, id))
        return None if entry is None else parse_own(await self._vault.decrypt(entry.jwe))["value"]

    async def all(self, kind: str, id: str) -> list[Any]:
        """Return the value of each record of a kind and id, where several devices made one. Raises as `get` does."""
        same = [entry.jwe for entry in self._entries.values() if entry.key == (kind, id)]
        return [parse_own(await self._vault.decrypt(jwe))["value"] for jwe in same]

    async def put(self, kind: str, id: str, value: Any) -> None:
        """Store a value in the place of the one before; durable on return.

        Parameters:
            value: JSON.

        Raises:
            VaultLocked: the vault is locked.
            StorageError: it could not be stored.
        """
        content = {"kind": kind, "id": id, "value": value}
        jwe = await self._vault.encrypt(json.dumps(content, separators=(",", ":")).encode())
        async with self._one_writer:
            for attempt in range(3):
                existing = self._newest((kind, id))
                message = await self._write(self._agent(), jwe, None if existing is None else existing.message)
                try:
                    await self._process(message, jwe.encode())
                    break
                except Conflict:  # sync has brought a newer one meanwhile; this one is newer still
                    if existing is None or attempt == 2:
                        raise
                    await self._read(existing.message["recordId"])
            self._entries[message["recordId"]] = _Entry((kind, id), message, jwe)
        await self._notify((kind, id))

    async def delete(self, kind: str, id: str) -> None:
        """Delete a value, here and by sync elsewhere; one that is not there is no error.

        Raises:
            VaultLocked: the vault is locked.
            StorageError: the delete could not be stored.
        """
        async with self._one_writer:
            for entry in [entry for entry in self._entries.values() if entry.key == (kind, id)]:
                record_id = entry.message["recordId"]
                delete = partial(compose.records_delete, self._agent(), record_id=record_id)
                with suppress(NotFound):  # sync was quicker
                    await self._messages.replace(self._agent().did, delete)
                self._entries.pop(record_id, None)
        await self._notify((kind, id))

    # -- the store

    async def _write(self, signer: MessageSigner, jwe: str, existing: Message | None) -> Message:
        return await compose.records_write(
            signer,
            self._clock,
            data=jwe.encode(),
            data_format=DATA_FORMAT,
            protocol=None if existing else PROTOCOL,
            protocol_path=None if existing else "secret",
            existing=existing,
        )

    async def _process(self, message: Message, data: bytes | None = None) -> Message:
        return await self._messages.process(self._agent().did, message, data)

    async def _stored(self, filter: dict[str, Any]) -> AsyncIterator[tuple[Message, str]]:
        cursor: Any = None
        while True:
            pagination = {"limit": PAGE} | ({"cursor": cursor} if cursor else {})
            query = await compose.records_query(self._agent(), self._clock, filter=filter, pagination=pagination)
            reply = await self._process(query)
            for entry in reply["entries"]:
                yield bare_message(entry), await self._text(entry)
            if (cursor := reply.get("cursor")) is None:
                return

    async def _text(self, entry: Message) -> str:
        if "encodedData" in entry:
            return b64url_decode(entry["encodedData"]).decode("utf-8", "replace")
        read = await compose.records_read(self._agent(), self._clock, filter={"recordId": entry["recordId"]})
        stream: DataStream | None = None
        with suppress(NotFound):
            stream = (await self._process(read))["entry"].get("data")
        return "" if stream is None else (await stream.read()).decode("utf-8", "replace")

    # -- what is remembered

    async def _remember(self, message: Message, jwe: str) -> Key | None:
        record_id = message["recordId"]
        try:
            content = parse_own(await self._vault.decrypt(jwe))
            key = (content["kind"], content["id"])
        except (CryptoError, ValueError, KeyError, TypeError):
            log.warning("the agent's record %s does not open with the key of this vault", record_id)
            return None
        self._entries[record_id] = _Entry(key, message, jwe)
        return key

    async def _read(self, record_id: str) -> set[Key]:
        """Remember a record as it is stored now, and return the keys whose values that changed."""
        before = self._entries.get(record_id)
        found = [one async for one in self._stored({"recordId": record_id})]
        if not found:
            self._entries.pop(record_id, None)
            return {before.key} if before else set()
        [(message, jwe)] = found
        if before and before.message == message:
            return set()
        key = await self._remember(message, jwe)
        return {one for one in (before and before.key, key) if one}

    def applied(self, applied: Applied) -> None:
        """Read what sync has brought; one of the engine's `after_commit` hooks."""
        if self._signer is None or applied.tenant != self._signer.did or applied.source is None:
            return
        record_id = applied.message.get("recordId") or applied.message["descriptor"].get("recordId")
        write = applied.initial_write or applied.message
        if record_id is None or (record_id not in self._entries and write["descriptor"].get("protocol") != PROTOCOL):
            return
        self._stale.add(record_id)
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(self._read_stale())

    async def settled(self) -> None:
        """Return once all that sync has brought so far is read, and told."""
        while self._reading is not None and not self._reading.done():
            await asyncio.wait([self._reading])

    async def _read_stale(self) -> None:
        while self._stale:
            record_id = self._stale.pop()
            try:
                async with self._one_writer:
                    keys = await self._read(record_id)
                for key in keys:
                    await self._notify(key)
            except Exception as error:  # the others are to be read all the same
                report(f"the agent's record {record_id} was not taken in", error)

    async def _notify(self, key: Key) -> None:
        for callback in self.on_change:
            await callback(*key)

    def _newest(self, key: Key) -> _Entry | None:
        same = [entry for entry in self._entries.values() if entry.key == key]
        return max(
            same, key=lambda one: (one.message["descriptor"]["messageTimestamp"], one.message["recordId"]), default=None
        )

    def _agent(self) -> MessageSigner:
        if self._signer is None:
            raise IdentityError("the agent's records are not open: unlock the vault first")
        return self._signer
