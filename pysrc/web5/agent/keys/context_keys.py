"""Delivery of a context's key to those who join it, and the keys that were received.

The first record of a context carries the context's public key, so that everyone can encrypt for it; what opens its
records only the one who began it can derive. To others it is given as a record, encrypted for them, in the giver's DWN:
the `contextKey` of enbox's key-delivery protocol. Who was given one keeps a copy in the own DWN, so that it is there on
every device and without the giver. It cannot be taken back: who loses a role still reads what was encrypted until then.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from web5 import strict_json
from web5.agent.holdings import Holdings
from web5.agent.keys.keyring import Keyring
from web5.agent.requests.messages import Messages
from web5.crypto.encoding import b64url_decode
from web5.crypto.jose.jwk import public_jwk
from web5.crypto.jose.jws import MessageSigner
from web5.dwn import compose
from web5.dwn.encryption.content import ContentKey, Target, content_key, encryption_property, entries_of, wrapped
from web5.dwn.encryption.derivation import SCHEMES, DerivedKey, Scheme, path_for
from web5.dwn.encryption.protocol_keys import rules_at, with_keys
from web5.dwn.values.types import Message
from web5.errors import CryptoError, EncryptionError, StorageError
from web5.ports.clock import Clock
from web5.ports.crypto import Crypto

PROTOCOL = "https://identity.foundation/protocols/key-delivery"
PATH = "contextKey"
DEFINITION: dict[str, Any] = {
    "protocol": PROTOCOL,
    "published": False,
    "types": {PATH: {"dataFormats": ["application/json"]}},
    "structure": {
        PATH: {
            "$actions": [{"who": "recipient", "of": PATH, "can": ["read"]}],
            "$tags": {
                "$requiredTags": ["protocol", "contextId"],
                "$allowUndefinedTags": False,
                "protocol": {"type": "string"},
                "contextId": {"type": "string"},
            },
        }
    },
}

KEY_RECIPIENT = ("protocol", "protocol_path", "recipient", "parent_context_id")
"""The options of a new record by which `ContextKeys.key_recipient` goes."""

_CONTEXT: Scheme = "protocolContext"


class KeyHolder(Protocol):
    """The parts of an agent that keys of records need."""

    crypto: Crypto
    clock: Clock
    held: Holdings
    keyring: Keyring
    messages: Messages

    async def signer(self, did: str) -> MessageSigner:
        """Return the signer of a DID of this agent."""


@dataclass(frozen=True)
class ReceivedKey:
    """A key that was given to us; `kept` is True if our own DWN has it."""

    protocol: str
    key: DerivedKey
    kept: bool


class ContextKeys:
    """Gives and finds keys as the identity `did`."""

    def __init__(self, agent: KeyHolder, did: str) -> None:
        self._agent = agent
        self._did = did
        self._keys = agent.keyring
        self._crypto = agent.crypto

    async def target(self, context: str) -> Target | None:
        """Return the public key of a context, as its first record has it; None if it has none.

        The initial write comes first, because it is by who began the context; what follows may be by others.
        """
        for message in await self._agent.held.record(self._did, context):
            for entry in entries_of(message):
                if entry["derivationScheme"] == _CONTEXT and "derivedPublicKey" in entry:
                    return Target(entry["rootKeyId"], _CONTEXT, entry["derivedPublicKey"], named=True)
        return None

    async def key_recipient(self, options: Mapping[str, Any], *, encrypted: bool) -> Target | None:
        """Return who is to receive the context's key with a new record, or None.

        That is the recipient of a role in an encrypted context of ours, or of the record that begins one.

        Parameters:
            encrypted: True if the new record is.

        Raises:
            EncryptionError: that person has no key to encrypt for.
        """
        protocol, protocol_path = options.get("protocol"), options.get("protocol_path")
        recipient, parent_context_id = options.get("recipient"), options.get("parent_context_id")
        if protocol is None or protocol_path is None or recipient is None or recipient == self._did:
            return None
        if parent_context_id:
            definition = await self._agent.held.definition(self._did, protocol)
            is_role = definition is not None and rules_at(definition, protocol_path).get("$role") is True
            joins = is_role and await self._own_key(parent_context_id) is not None
        else:
            joins = encrypted
        return await self._target_of(recipient) if joins else None

    async def deliver_context_key(self, message: Message, recipient: Target) -> None:
        """Write the key of a record's context, if it is ours, into the own DWN for the recipient to fetch.

        Raises:
            DwnError: the DWN refused.
        """
        key = await self._own_key(message["contextId"])
        if key is not None:
            await self._write(message["descriptor"]["protocol"], key, recipient)

    async def share(self, message: Message, recipient: str) -> None:
        """Deliver the key of the context that a record is in to somebody.

        Raises:
            EncryptionError: the context has no key or it is not ours, or the recipient has none to encrypt for.
            DwnError: the DWN refused.
        """
        key = await self._own_key(message.get("contextId") or "")
        if key is None:
            raise EncryptionError("Only who began an encrypted context can give its key, and this record is in none.")
        await self._write(message["descriptor"]["protocol"], key, await self._target_of(recipient))

    async def received_keys(self, message: Message) -> AsyncGenerator[ReceivedKey]:
        """Yield the keys that we received for a record's context: those at hand, then those that its owner's DWN has.

        Raises:
            DwnError, DidError, RemoteError: that DWN refused, or could not be found or reached.
        """
        protocol, context_id = message["descriptor"].get("protocol"), message.get("contextId")
        if protocol is None or context_id is None:
            return
        context = context_id.partition("/")[0]
        owners = [entry["rootKeyId"] for entry in entries_of(message) if entry["derivationScheme"] == _CONTEXT]
        for key_id in owners:
            if (known := self._keys.received_keys.get((self._did, key_id, context))) is not None:
                yield ReceivedKey(protocol, known, kept=True)
        for key_id in owners:
            owner = key_id.partition("#")[0]
            for place in [None] if owner == self._did else [None, owner]:
                for key in await self._found(place, protocol, context):
                    if key.root_key_id == key_id:
                        yield ReceivedKey(protocol, key, kept=place is None)

    async def keep(self, received: ReceivedKey) -> None:
        """Cache a key that has opened a record, and keep it in the own DWN."""
        key = received.key
        self._keys.received_keys[self._did, key.root_key_id, key.path[1]] = key
        if not received.kept:
            with suppress(StorageError):  # then it is fetched again another time
                await self._write(received.protocol, key, None)

    async def _own_key(self, context_id: str) -> DerivedKey | None:
        # None if the context has no key, or another's root is its root.
        context = context_id.partition("/")[0]
        public = await self.target(context)
        if public is None:
            return None
        root = await self._keys.root_key_if_here(self._did)
        return root.derive(_CONTEXT, (_CONTEXT, context)) if root and root.key_id == public.key_id else None

    async def _target_of(self, did: str) -> Target:
        key_id, jwk = await self._keys.encryption_key(did)
        return Target(key_id, "protocolPath", jwk, named=True)

    async def _write(self, protocol: str, key: DerivedKey, to: Target | None) -> None:
        # Without a recipient, we keep it ourselves.
        await self._configure()
        content = ContentKey.new()
        plain = json.dumps(await key.to_wire(self._crypto), separators=(",", ":")).encode()
        data = await content.crypt_bytes(self._crypto, plain)

        async def encryption(message: Message) -> dict[str, Any]:
            own = (await self._keys.root_key(self._did)).derive("protocolPath", path_for("protocolPath", message))
            targets = (Target(own.root_key_id, own.scheme, public_jwk(await own.jwk(self._crypto))), to)
            entries = [await wrapped(self._crypto, content, target) for target in targets if target is not None]
            return encryption_property(content, entries)

        message = await compose.records_write(
            await self._agent.signer(self._did),
            self._agent.clock,
            data=data,
            data_format="application/json",
            protocol=PROTOCOL,
            protocol_path=PATH,
            recipient=self._did if to is None else to.key_id.partition("#")[0],
            tags={"protocol": protocol, "contextId": key.path[1]},
            encryption=encryption,
        )
        await self._agent.messages.process(self._did, message, data)

    async def _found(self, place: str | None, protocol: str, context: str) -> list[DerivedKey]:
        # `place` is the DID whose remote DWN is asked; None: the own one on this device.
        query = partial(
            compose.records_query,
            await self._agent.signer(self._did),
            filter={
                "protocol": PROTOCOL,
                "protocolPath": PATH,
                "recipient": self._did,
                "tags": {"protocol": protocol, "contextId": context},
            },
            date_sort="createdDescending",
        )
        reply = await self._agent.messages.ask(self._did, place, query)
        keys = [await self._opened(entry) for entry in reply["entries"]]
        return [key for key in keys if key is not None and (key.scheme, key.path) == (_CONTEXT, (_CONTEXT, context))]

    async def _opened(self, entry: Message) -> DerivedKey | None:
        # None if we cannot open it, or something else is in it.
        root = await self._keys.root_key(self._did)
        try:
            content = await content_key(self._crypto, entry, [root.derive(scheme, ()) for scheme in SCHEMES])
            plain = await content.crypt_bytes(self._crypto, b64url_decode(entry["encodedData"]))
            return DerivedKey.from_wire(strict_json.parse(plain.decode()))
        except (EncryptionError, CryptoError, ValueError, KeyError):
            return None

    async def _configure(self) -> None:
        if await self._agent.held.definition(self._did, PROTOCOL) is None:
            definition = await with_keys(DEFINITION, await self._keys.root_key(self._did), self._crypto)
            message = await compose.protocols_configure(
                await self._agent.signer(self._did), self._agent.clock, definition=definition
            )
            await self._agent.messages.process(self._did, message)
