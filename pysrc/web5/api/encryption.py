"""How an app's records are encrypted, and opened again.

Invariants:
1. Where the protocol has a key at a record's path (`$encryption`), data are encrypted or they are not written.
2. A record's next state is readable by whoever could read the last one: the content key stays, its counter is new.
3. What leaves here is ciphertext; in the clear remain the descriptor, tags, format and size among them.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from web5.agent.agent import Agent
from web5.api.context_keys import ContextKeys
from web5.api.payload import Transform
from web5.crypto.jwk import public_jwk
from web5.dwn.encryption.content import ContentKey
from web5.dwn.encryption.definitions import key_at
from web5.dwn.encryption.derivation import SCHEMES, DerivedKey, Message, Scheme, path_for
from web5.dwn.encryption.property import (
    Entry,
    Target,
    content_key,
    encryption_property,
    entries_of,
    wrapped,
)
from web5.errors import DwnError, EncryptionError, IdentityError, InvalidArgument, KeyMissing, RemoteError
from web5.ports.crypto import Crypto


@dataclass(frozen=True)
class Encryption:
    """For whom a record is encrypted, besides its owner and its `recipient`.

    Parameters:
        schemes: by what the keys are derived that open it, any of "schemas", "dataFormats", "protocolPath" and
            "protocolContext". By default: of a protocol's record, by its path and context; of another, by its schema
            or, if it has none, by its data format.
        recipients: further DIDs that can read it, with the secp256k1 key for keyAgreement of their documents.
        definitions: of the record's protocol as others have it configured with keys, found by `protocols.query(…,
            from_=did)`: who has that key, or one above it, can read the record. So do readers built on dwn-sdk-js.

    Raises:
        InvalidArgument: an unknown scheme.
    """

    schemes: Sequence[Scheme] = ()
    recipients: Sequence[str] = ()
    definitions: Sequence[Mapping[str, Any]] = ()

    def __post_init__(self) -> None:
        unknown = [scheme for scheme in self.schemes if scheme not in SCHEMES]
        if unknown:
            raise InvalidArgument(f"Unknown scheme {unknown[0]!r}; the schemes are {', '.join(SCHEMES)}.")


Asked = bool | Encryption | None
"""What `encryption=` takes: yes, no, how, or as the protocol says (a new record) and as before (an update)."""


@dataclass(frozen=True)
class Sealing:
    """The encryption of one state of a record.

    Parameters:
        entries: the wrapped keys, made of the unsigned message.
    """

    crypto: Crypto
    content: ContentKey
    entries: Callable[[Message], Awaitable[list[Entry]]]

    def through(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """The data's ciphertext; the same at every reading."""
        return self.content.crypt(self.crypto, chunks)

    async def encryption(self, message: Message) -> dict[str, Any]:
        """The record's `encryption`."""
        return encryption_property(self.content, await self.entries(message))


class RecordEncryption:
    """Encrypts and opens records as the identity `did`.

    Attributes:
        contexts: gives and finds keys of contexts.
    """

    def __init__(self, agent: Agent, did: str) -> None:
        self._agent = agent
        self._did = did
        self.contexts = ContextKeys(agent, did)
        self._keys = agent.record_keys
        self._crypto = agent.record_keys.crypto

    async def of_new(
        self, asked: Asked, *, protocol: str | None, protocol_path: str | None, recipient: str | None
    ) -> Sealing | None:
        """What encrypts a record that begins, or begins anew; None if it stays in the clear.

        Raises:
            EncryptionError: the protocol demands that it is encrypted, or a recipient has no key.
        """
        owner_key = self._protocol_key(protocol, protocol_path)
        if asked is False and owner_key is not None:
            raise EncryptionError(f"Records at {protocol_path} of {protocol} are encrypted; leave out `encryption`.")
        if asked is False or (asked is None and owner_key is None):
            return None
        wishes = asked if isinstance(asked, Encryption) else Encryption()
        others = dict.fromkeys(did for did in (recipient, *wishes.recipients) if did and did != self._did)
        direct = [await self._keys.public(did) for did in others]

        async def entries(message: Message) -> list[Entry]:
            schemes = wishes.schemes or _fitting(message)
            targets = [await self._target(scheme, message, owner_key) for scheme in schemes]
            if wishes.schemes and None in targets:
                missing = schemes[targets.index(None)]
                raise EncryptionError(f"No key by {missing} is here: the context has none, or the identity is away.")
            # Named by a scheme that leads somewhere: what the reference's reader is to pass over for this key.
            scheme: Scheme = "protocolPath" if "protocol" in message["descriptor"] else schemes[0]
            targets += [_path_target(definition, message) for definition in wishes.definitions]
            targets += [Target(key_id, scheme, jwk, named=True) for key_id, jwk in direct]
            made = [await wrapped(self._crypto, content, target) for target in targets if target is not None]
            if not made:
                raise EncryptionError(f"Nobody could read this record: the keys of {self._did} are not on this agent.")
            return made

        content = ContentKey.new()
        return Sealing(self._crypto, content, entries)

    async def of_update(self, asked: Asked, message: Message, data_format: str | None, *, data: bool) -> Sealing | None:
        """What encrypts the next state of a record; None if its data stay as they are, or are in the clear.

        Parameters:
            message: the RecordsWrite before it.
            data_format: the new one, if it changes.
            data: there are new data.

        Raises:
            InvalidArgument: encryption is asked for without data.
            EncryptionError: as `of_new`; KeyMissing if the last state cannot be opened here.
        """
        descriptor = message["descriptor"]
        if asked is not None and not data:
            raise InvalidArgument("What is stored already cannot be encrypted or decrypted; give the data too.")
        if asked is None and "encryption" in message:
            old = await self.content_key(message) if data or data_format else None
            if old is None:
                return None
            content = old.renewed() if data else old
            return Sealing(self._crypto, content, lambda following: self._rewrapped(content, message, following))
        if not data:
            return None
        return await self.of_new(
            asked,
            protocol=descriptor.get("protocol"),
            protocol_path=descriptor.get("protocolPath"),
            recipient=descriptor.get("recipient"),
        )

    async def content_key(self, message: Message) -> ContentKey:
        """The key of an encrypted record's data. If no own key opens it, those are tried that others gave.

        Raises:
            KeyMissing: no key that opens it is here; if the DWN that might have one failed, its error is the cause.
            EncryptionError: its `encryption` is malformed, or was changed.
        """
        root = await self._keys.root_if_here(self._did)
        own = [] if root is None else [root.derive(scheme, ()) for scheme in SCHEMES]
        try:
            return await content_key(self._crypto, message, own)
        except KeyMissing as missing:
            return await self._by_given_key(message, missing)

    async def _by_given_key(self, message: Message, missing: KeyMissing) -> ContentKey:
        try:
            async with aclosing(self.contexts.given(message)) as found:
                async for given in found:
                    with suppress(EncryptionError):
                        content = await content_key(self._crypto, message, [given.key])
                        await self.contexts.keep(given)
                        return content
        except (DwnError, IdentityError, RemoteError) as error:
            raise missing from error
        raise missing

    async def opening(self, message: Message) -> Transform:
        """What decrypts a record's data; of a record in the clear, what leaves them. Raises as `content_key`."""
        if "encryption" not in message:
            return aiter
        return partial((await self.content_key(message)).crypt, self._crypto)

    def _protocol_key(self, protocol: str | None, protocol_path: str | None) -> Mapping[str, Any] | None:
        if protocol is None or protocol_path is None:
            return None
        definition = self._agent.dwn.protocol_definition(self._did, protocol)
        return None if definition is None else key_at(definition, protocol_path)

    async def _target(self, scheme: Scheme, message: Message, owner_key: Mapping[str, Any] | None) -> Target | None:
        """The public key of one scheme; None if the context that the record joins has none, or `did` is not here."""
        path = path_for(scheme, message)
        if scheme == "protocolPath" and owner_key is not None:
            return Target(owner_key["rootKeyId"], scheme, owner_key["publicKeyJwk"])
        if scheme == "protocolContext" and "parentId" in message["descriptor"]:
            return self.contexts.target(path[1])
        root = await self._keys.root_if_here(self._did)
        return None if root is None else await self._own_target(root.derive(scheme, path))

    async def _own_target(self, key: DerivedKey) -> Target:
        public = public_jwk(await key.jwk(self._crypto))
        return Target(key.root_key_id, key.scheme, public, named=key.scheme == "protocolContext")

    async def _rewrapped(self, content: ContentKey, message: Message, following: Message) -> list[Entry]:
        """The wrapped keys of the next state: those of the last one, but for those that another data format changes."""
        moved = path_for("dataFormats", message) != path_for("dataFormats", following)
        root = await self._keys.root_if_here(self._did)
        entries = []
        for entry in entries_of(message):
            if moved and entry["derivationScheme"] == "dataFormats" and "derivedPublicKey" not in entry:
                if root is None or entry["rootKeyId"] != root.key_id:
                    raise EncryptionError(
                        f"The data format is part of {entry['rootKeyId']}'s key for this record, so it cannot change."
                    )
                target = await self._own_target(root.derive("dataFormats", path_for("dataFormats", following)))
                entry = await wrapped(self._crypto, content, target)
            entries.append(entry)
        return entries


def _path_target(definition: Mapping[str, Any], message: Message) -> Target:
    """The key that another's definition has for a record of the protocol."""
    protocol, path = definition["protocol"], message["descriptor"].get("protocolPath")
    key = key_at(definition, path) if path and protocol == message["descriptor"]["protocol"] else None
    if key is None:
        raise EncryptionError(f"The definition of {protocol} has no key for a record at {path}.")
    return Target(key["rootKeyId"], "protocolPath", key["publicKeyJwk"])


def _fitting(message: Message) -> Sequence[Scheme]:
    descriptor = message["descriptor"]
    if "protocol" in descriptor:
        return ("protocolPath", "protocolContext")
    return ("schemas",) if "schema" in descriptor else ("dataFormats",)
