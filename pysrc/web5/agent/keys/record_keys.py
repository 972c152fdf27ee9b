"""The keys of encrypted records, for whoever writes or reads them; no private key of an identity leaves here.

What comes out is public, or opens one record: its content key.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any

from web5.agent.keys.context_keys import ContextKeys, KeyHolder
from web5.crypto.jose.jwk import public_jwk
from web5.dwn.encryption.content import ContentKey, Target, content_key
from web5.dwn.encryption.derivation import SCHEMES, Scheme
from web5.dwn.encryption.protocol_keys import with_keys
from web5.dwn.values.types import Message
from web5.errors import DidError, DwnError, EncryptionError, IdentityError, KeyMissing, RemoteError


class RecordKeys:
    """Finds and makes keys as any identity of the agent: `did` is whose they are."""

    def __init__(self, agent: KeyHolder) -> None:
        self._agent = agent

    async def content_key(self, did: str, message: Message) -> ContentKey:
        """Return the key of an encrypted record's data. If no own key opens it, those are tried that others gave.

        Raises:
            KeyMissing: no key that opens it is here; if the DWN that might have one failed, its error is the cause.
            EncryptionError: its `encryption` is malformed, or was changed.
        """
        root = await self._agent.keyring.root_key_if_here(did)
        own = [] if root is None else [root.derive(scheme, ()) for scheme in SCHEMES]
        try:
            return await content_key(self._agent.crypto, message, own)
        except KeyMissing as missing:
            return await self._by_received_key(did, message, missing)

    async def own_target(self, did: str, scheme: Scheme, path: Sequence[str]) -> Target | None:
        """Return the public key that an identity has at a path; None if its keys are not here."""
        root = await self._agent.keyring.root_key_if_here(did)
        if root is None:
            return None
        key = root.derive(scheme, path)
        public = public_jwk(await key.jwk(self._agent.crypto))
        return Target(key.root_key_id, key.scheme, public, named=key.scheme == "protocolContext")

    async def of_recipient(self, did: str, scheme: Scheme) -> Target:
        """Return the public key with which records are encrypted for anybody's DID, named by a scheme.

        Raises:
            EncryptionError: the DID cannot be resolved, or its document names none.
        """
        key_id, jwk = await self._agent.keyring.encryption_key(did)
        return Target(key_id, scheme, jwk, named=True)

    async def of_context(self, did: str, context: str) -> Target | None:
        """Return the public key of a context. As `ContextKeys.target`."""
        return await ContextKeys(self._agent, did).target(context)

    async def key_recipient(self, did: str, options: Mapping[str, Any], *, encrypted: bool) -> Target | None:
        """Return who is to receive a context's key with a new record. As `ContextKeys.key_recipient`."""
        return await ContextKeys(self._agent, did).key_recipient(options, encrypted=encrypted)

    async def deliver_context_key(self, did: str, message: Message, recipient: Target) -> None:
        """Write a context's key into the own DWN for somebody. As `ContextKeys.deliver_context_key`."""
        await ContextKeys(self._agent, did).deliver_context_key(message, recipient)

    async def share_context(self, did: str, message: Message, recipient: str) -> None:
        """Give somebody the key of the context that a record is in. As `ContextKeys.share`."""
        await ContextKeys(self._agent, did).share(message, recipient)

    async def with_keys(self, did: str, definition: Mapping[str, Any], types: Collection[str] | None) -> dict[str, Any]:
        """Return a protocol's definition with an identity's public keys at its paths. As `protocol_keys.with_keys`."""
        root = await self._agent.keyring.root_key(did)
        return await with_keys(definition, root, self._agent.crypto, types=None if types is None else set(types))

    async def _by_received_key(self, did: str, message: Message, missing: KeyMissing) -> ContentKey:
        contexts = ContextKeys(self._agent, did)
        try:
            async with aclosing(contexts.received_keys(message)) as found:
                async for received in found:
                    with suppress(EncryptionError):
                        content = await content_key(self._agent.crypto, message, [received.key])
                        await contexts.keep(received)
                        return content
        except (DidError, DwnError, IdentityError, RemoteError) as error:
            raise missing from error
        raise missing
