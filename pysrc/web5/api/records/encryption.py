"""The encryption of an app's records, and their decryption.

Invariants:
1. Where the protocol has a key at a record's path (`$encryption`), data are encrypted or they are not written.
2. A record's next state is readable by whoever could read the last one: the content key stays, its counter is new.
3. What leaves here is ciphertext; in the clear remain the descriptor, tags, format and size among them.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from web5.agent.agent import Agent
from web5.api.arguments import choice, texts
from web5.api.records.data import Transform
from web5.dwn.compose import WriteOptions
from web5.dwn.encryption.content import ContentKey, Entry, Target, encryption_property, entries_of, wrapped
from web5.dwn.encryption.derivation import SCHEMES, Scheme, path_for
from web5.dwn.encryption.protocol_keys import key_at
from web5.dwn.values.types import Message
from web5.errors import EncryptionError, InvalidArgument
from web5.ports.crypto import Crypto


@dataclass(frozen=True)
class Encryption:
    """The readers of an encrypted record, besides its owner and its `recipient`.

    Parameters:
        schemes: the ways in which its keys are derived, any of "schemas", "dataFormats", "protocolPath" and
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
    definitions: Sequence[Mapping[str, Any]] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        for scheme in texts("schemes", self.schemes):
            choice("scheme", scheme, SCHEMES)


EncryptionChoice = bool | Encryption | None
"""The values of `encryption=`: yes, no, for whom, or as the protocol says (a new record) and as before (an update)."""


@dataclass(frozen=True)
class StateEncryption:
    """The encryption of one state of a record.

    Parameters:
        entries: makes the wrapped keys, of the unsigned message.
    """

    crypto: Crypto
    content: ContentKey
    entries: Callable[[Message], Awaitable[list[Entry]]]

    def encrypt_stream(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """Encrypt the data; the ciphertext is the same at every reading."""
        return self.content.crypt(self.crypto, chunks)

    async def property(self, message: Message) -> dict[str, Any]:
        """Return the `encryption` of the RecordsWrite."""
        return encryption_property(self.content, await self.entries(message))


class RecordEncryption:
    """Encrypts and decrypts records as the identity `did`."""

    def __init__(self, agent: Agent, did: str) -> None:
        self._agent = agent
        self._did = did
        self._keys = agent.record_keys
        self._crypto = agent.crypto

    async def for_new_record(self, choice: EncryptionChoice, options: WriteOptions) -> StateEncryption | None:
        """Return the encryption of a record that begins, or begins anew; None if it stays in the clear.

        Parameters:
            options: `protocol`, `protocol_path` and `recipient` of the record.

        Raises:
            EncryptionError: the protocol demands that it is encrypted, or a recipient has no key.
        """
        protocol, protocol_path = options.get("protocol"), options.get("protocol_path")
        owner_key = await self._protocol_key(protocol, protocol_path)
        if choice is False and owner_key is not None:
            raise EncryptionError(f"Records at {protocol_path} of {protocol} are encrypted; leave out `encryption`.")
        if choice is False or (choice is None and owner_key is None):
            return None
        readers = choice if isinstance(choice, Encryption) else Encryption()
        recipients = (options.get("recipient"), *readers.recipients)
        others = dict.fromkeys(did for did in recipients if did and did != self._did)
        direct = [await self._keys.of_recipient(did, "protocolPath") for did in others]

        async def entries(message: Message) -> list[Entry]:
            schemes = readers.schemes or _default_schemes(message)
            targets = [await self._target(scheme, message, owner_key) for scheme in schemes]
            if readers.schemes and None in targets:
                missing = schemes[targets.index(None)]
                raise EncryptionError(f"No key by {missing} is here: the context has none, or the identity is away.")
            # Named by a scheme that leads somewhere: what the reference's reader is to pass over for this key.
            scheme: Scheme = "protocolPath" if "protocol" in message["descriptor"] else schemes[0]
            targets += [_path_target(definition, message) for definition in readers.definitions]
            targets += [replace(target, scheme=scheme) for target in direct]
            made = [await wrapped(self._crypto, content, target) for target in targets if target is not None]
            if not made:
                raise EncryptionError(f"Nobody could read this record: the keys of {self._did} are not on this agent.")
            return made

        content = ContentKey.new()
        return StateEncryption(self._crypto, content, entries)

    async def for_update(
        self, choice: EncryptionChoice, message: Message, data_format: str | None, *, new_data: bool
    ) -> StateEncryption | None:
        """Return the encryption of a record's next state; None if its data stay as they are, or are in the clear.

        Parameters:
            message: the RecordsWrite before it.
            data_format: the new one, if it changes.

        Raises:
            InvalidArgument: encryption is asked for without data.
            EncryptionError: as `for_new_record`; KeyMissing if the last state cannot be opened here.
        """
        if choice is not None and not new_data:
            raise InvalidArgument("What is stored already cannot be encrypted or decrypted; give the data too.")
        if choice is None and "encryption" in message:
            if not (new_data or data_format):
                return None
            old = await self.content_key(message)
            content = old.renewed() if new_data else old
            return StateEncryption(self._crypto, content, partial(self._rewrapped, content, message))
        if not new_data:
            return None
        place, names = message["descriptor"], ("protocol", "protocolPath", "recipient")
        protocol, path, recipient = (place.get(name) for name in names)
        options = WriteOptions(protocol=protocol, protocol_path=path, recipient=recipient)
        return await self.for_new_record(choice, options)

    async def content_key(self, message: Message) -> ContentKey:
        """Return the key of an encrypted record's data. If no own key opens it, those are tried that others gave.

        Raises:
            KeyMissing: no key that opens it is here; if the DWN that might have one failed, its error is the cause.
            EncryptionError: its `encryption` is malformed, or was changed.
        """
        return await self._keys.content_key(self._did, message)

    async def decryption(self, message: Message) -> Transform:
        """Return a stream transform that decrypts a record's data; identity if that is in the clear.

        Raises:
            EncryptionError: as `content_key`.
        """
        if "encryption" not in message:
            return aiter
        return partial((await self.content_key(message)).crypt, self._crypto)

    async def _protocol_key(self, protocol: str | None, protocol_path: str | None) -> Mapping[str, Any] | None:
        if protocol is None or protocol_path is None:
            return None
        definition = await self._agent.held.definition(self._did, protocol)
        return None if definition is None else key_at(definition, protocol_path)

    async def _target(self, scheme: Scheme, message: Message, owner_key: Mapping[str, Any] | None) -> Target | None:
        # None if the context that the record joins has no key, or the keys of `did` are not here.
        path = path_for(scheme, message)
        if scheme == "protocolPath" and owner_key is not None:
            return Target(owner_key["rootKeyId"], scheme, owner_key["publicKeyJwk"])
        if scheme == "protocolContext" and "parentId" in message["descriptor"]:
            return await self._keys.of_context(self._did, path[1])
        return await self._keys.own_target(self._did, scheme, path)

    async def _rewrapped(self, content: ContentKey, message: Message, following: Message) -> list[Entry]:
        # Those of the last state stay, but for those that another data format changes.
        moved = path_for("dataFormats", message) != path_for("dataFormats", following)
        entries = []
        for entry in entries_of(message):
            if moved and entry["derivationScheme"] == "dataFormats" and "derivedPublicKey" not in entry:
                target = await self._keys.own_target(self._did, "dataFormats", path_for("dataFormats", following))
                if target is None or entry["rootKeyId"] != target.key_id:
                    raise EncryptionError(
                        f"The data format is part of {entry['rootKeyId']}'s key for this record, so it cannot change."
                    )
                entry = await wrapped(self._crypto, content, target)
            entries.append(entry)
        return entries


def _path_target(definition: Mapping[str, Any], message: Message) -> Target:
    protocol, path = definition["protocol"], message["descriptor"].get("protocolPath")
    key = key_at(definition, path) if path and protocol == message["descriptor"]["protocol"] else None
    if key is None:
        raise EncryptionError(f"The definition of {protocol} has no key for a record at {path}.")
    return Target(key["rootKeyId"], "protocolPath", key["publicKeyJwk"])


def _default_schemes(message: Message) -> Sequence[Scheme]:
    descriptor = message["descriptor"]
    if "protocol" in descriptor:
        return ("protocolPath", "protocolContext")
    return ("schemas",) if "schema" in descriptor else ("dataFormats",)
