"""The identities of this agent, with their keys.

Invariants:
1. A private key enters the DWN only encrypted (`agent.records`), and memory only while it is asked for: what signs
   holds a key that cannot be read, where the platform has such.
2. An identity enters the store whole and checked, or not at all: its keys sign for its document.
3. At most one identity is the chosen one, which `Web5.connect` gives back; that is this device's choice alone, for each
   agent that was here.
4. Every device of the agent sees the same identities, as soon as sync has brought them.
5. The record of an identity, which has its keys, is written once, and its deletion deletes the identity, whatever else
   another device has changed meanwhile. The name is a record of its own; so are its nodes and its document
   (`publication.documents`).
"""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from web5.agent.publication.documents import Documents
from web5.agent.records import AgentRecords
from web5.crypto.jose.jws import MessageSigner
from web5.dids.keys import signer_for, signing_method
from web5.dids.models import PortableDid
from web5.dwn.store.database import Database
from web5.errors import CryptoError, DidError, IdentityError
from web5.ports.crypto import Jwk, Signatures

Verify = Callable[[Jwk, bytes, bytes], Awaitable[bool]]

KIND = "identity"
"""The kind of the record with the keys of an identity, whose id is the DID."""
NAME = "name"
"""The kind of the record with the name that it was given last."""

SCHEMA = ("CREATE TABLE agent_chosen_identity (agent TEXT PRIMARY KEY, did TEXT NOT NULL) WITHOUT ROWID",)
"""Identities are records of the agent; which one is in use, each device knows for itself."""

_CHALLENGE = b"web5: do these keys belong to this document?"


@dataclass(frozen=True)
class Identity:
    """An identity as the agent lists it.

    Parameters:
        chosen: True for the one that `Web5.connect` gives back on this device.
        connected_did: the DID for which it acts, if it is a delegate's (`IdentityMetadata` of `@web5/agent`).
        by_default: True if a first launch made it, without being asked to.
    """

    did: str
    name: str
    chosen: bool = False
    connected_did: str | None = None
    by_default: bool = False


@dataclass
class _Held:
    """An identity in memory, and its signer once that was asked for."""

    identity: Identity
    signer: MessageSigner | None = None


class IdentityStore:
    """The identities, as the agent's records have them.

    Parameters:
        crypto: makes the signers.
        verify: tells whether an imported key belongs to its document. It must really verify: a memory of what was
            signed here would find every key right.

    Attributes:
        on_added: called with the DID, with its keys, of an identity that is new here.
        on_removed: called with one that was deleted.
    """

    def __init__(
        self, database: Database, records: AgentRecords, documents: Documents, crypto: Signatures, *, verify: Verify
    ) -> None:
        self.on_added: builtins.list[Callable[[PortableDid], Awaitable[None]]] = []
        self.on_removed: builtins.list[Callable[[Identity], Awaitable[None]]] = []
        self._database = database
        self._records = records
        self._documents = documents
        self._crypto = crypto
        self._verify = verify
        self._agent_did = ""
        self._held: dict[str, _Held] = {}
        self._adding = asyncio.Lock()
        records.on_change.append(self._changed)
        database.migrate("agent_identity", SCHEMA)

    async def open(self, agent_did: str) -> None:
        """Take in every identity of an agent's records, once they are open."""
        self.close()
        self._agent_did = agent_did
        for did in self._records.ids(KIND):
            await self._changed(KIND, did)

    def close(self) -> None:
        """Forget everything, since the vault is being locked."""
        self._held.clear()

    def list(self) -> list[Identity]:
        """Return all identities, the oldest first."""
        chosen = self._choice()
        if chosen not in self._held:
            # Without a choice the oldest is it, a delegate only where there is nobody else.
            chosen = min(self._held, key=self.is_delegate, default=None)
        return [replace(held.identity, chosen=did == chosen) for did, held in self._held.items()]

    def get(self, did: str) -> Identity:
        """Return one of them.

        Raises:
            IdentityError: it is not on this agent.
        """
        for identity in self.list():
            if identity.did == did:
                return identity
        raise _unknown(did)

    def is_delegate(self, did: str) -> bool:
        """Return True for an identity that acts for somebody else."""
        return did in self._held and self._held[did].identity.connected_did is not None

    def chosen(self) -> Identity | None:
        """Return the identity that `Web5.connect` gives back, or None before the first launch."""
        return next((identity for identity in self.list() if identity.chosen), None)

    async def add(
        self, portable_did: PortableDid, name: str, *, connected_did: str | None = None, by_default: bool = False
    ) -> Identity:
        """Check and store an identity; durable on return.

        Parameters:
            connected_did, by_default: as `Identity` has them.

        Raises:
            IdentityError: it is here already, or its keys do not belong to its document; or it is a delegate's, and
                the one for whom it acts, or another delegate of that one, is here.
            VaultLocked: the vault is locked.
        """
        async with self._adding:
            self._check_is_new(portable_did.uri, connected_did)
            await self._check_keys(portable_did)
            self._check_is_new(portable_did.uri, connected_did)  # sync may have brought it meanwhile
            await self._delete_facts(portable_did.uri)  # another device may have changed what was deleted here
            value = export_portable_identity(portable_did, name, connected_did)
            if by_default:
                value["byDefault"] = True
            await self._records.put(KIND, portable_did.uri, value)
        return self.get(portable_did.uri)

    async def rename(self, did: str, name: str) -> None:
        """Rename an identity.

        Raises:
            IdentityError: it is not on this agent, or the name is blank.
        """
        if not name.strip():
            raise IdentityError("An identity needs a name that can be read.")
        self.get(did)
        await self._records.put(NAME, did, name.strip())

    async def delete(self, did: str) -> None:
        """Delete an identity with its keys, here and on every other device of the agent.

        Raises:
            IdentityError: it is not on this agent.
        """
        self.get(did)
        await self._records.delete(KIND, did)
        await self._delete_facts(did)

    async def portable_did(self, did: str) -> PortableDid:
        """Return the DID of an identity with its private keys and its document as it is now.

        Raises:
            IdentityError: it is not on this agent.
            VaultLocked: the vault is locked.
        """
        return self._documents.current(await self.held(did))

    async def held(self, did: str) -> PortableDid:
        """Return the DID with the document that it came with. Raises as `portable_did` does."""
        value = await self._records.get(KIND, did)
        if value is None:
            raise _unknown(did)
        return PortableDid.from_wire(value["portableDid"])

    async def signer(self, did: str) -> MessageSigner:
        """Return the signer of an identity. Raises as `portable_did` does."""
        held = self._held.get(did)
        if held is None:
            raise _unknown(did)
        if held.signer is None:
            held.signer = await signer_for(await self.portable_did(did), self._crypto)
        return held.signer

    async def choose(self, did: str) -> None:
        """Make `did` the one that `Web5.connect` gives back on this device.

        Raises:
            IdentityError: it is not on this agent.
        """
        self.get(did)
        await self.choose_for(self._agent_did, did)

    async def choose_for(self, agent_did: str, did: str) -> None:
        """Choose an identity of an agent that need not be the one that is here now; durable on return."""
        with self._database.transaction() as db:
            db.execute("INSERT OR REPLACE INTO agent_chosen_identity VALUES (?, ?)", (agent_did, did))
        await self._database.flush()

    async def forget_choice(self, did: str) -> None:
        """Forget that an identity was the one in use, for any agent; durable on return."""
        with self._database.transaction(makes_room=True) as db:
            db.execute("DELETE FROM agent_chosen_identity WHERE did = ?", (did,))
        await self._database.flush()

    async def keep_choice(self) -> None:
        """Go on with the identity that is in use now, also when an older one arrives from another device."""
        chosen = self.chosen()
        if chosen is not None and chosen.did != self._choice():
            await self.choose(chosen.did)

    def _choice(self) -> str | None:
        query = "SELECT did FROM agent_chosen_identity WHERE agent = ?"
        row: tuple[str] | None = self._database.connection.execute(query, (self._agent_did,)).fetchone()
        return None if row is None else row[0]

    def _check_is_new(self, did: str, connected_did: str | None) -> None:
        if did in self._held:
            raise IdentityError(f"{did} is on this agent already.")
        if connected_did is None:
            return
        if connected_did in self._held:
            raise IdentityError(f"{connected_did} itself is on this agent and needs no delegate here.")
        for did, held in self._held.items():
            if held.identity.connected_did == connected_did:
                raise IdentityError(f"{did} acts for {connected_did} here already. Ask for more grants to it.")

    async def _delete_facts(self, did: str) -> None:
        """Delete the records that an identity has beside its own."""
        if did in self._records.ids(NAME):
            await self._records.delete(NAME, did)
        await self._documents.delete_records(did)
        await self._documents.forget(did)

    async def _changed(self, kind: str, did: str) -> None:
        if kind not in (KIND, NAME):
            return
        value, name = await self._records.get(KIND, did), await self._records.get(NAME, did)
        held = self._held.get(did)
        if value is None:
            if held is not None:
                del self._held[did]
                for on_removed in self.on_removed:
                    await on_removed(held.identity)
            return
        metadata = value["metadata"]
        identity = Identity(
            did,
            name or metadata["name"],
            connected_did=metadata.get("connectedDid"),
            by_default=value.get("byDefault", False),
        )
        if held is not None:
            held.identity = identity
            return
        self._held[did] = _Held(identity)
        self._held = {one: self._held[one] for one in self._records.ids(KIND) if one in self._held}
        for on_added in self.on_added:
            await on_added(self._documents.current(PortableDid.from_wire(value["portableDid"])))

    async def _check_keys(self, portable_did: PortableDid) -> None:
        try:
            signer = await signer_for(portable_did, self._crypto)
            signature = await signer.raw.sign(_CHALLENGE)
            public_jwk = signing_method(portable_did.document).public_key_jwk or {}
            if await self._verify(public_jwk, _CHALLENGE, signature):
                return
        except (CryptoError, DidError) as error:
            raise IdentityError(f"The keys of {portable_did.uri} cannot be used: {error}") from error
        raise IdentityError(f"The private key for {signer.key_id} does not belong to the DID document.")


def export_portable_identity(portable_did: PortableDid, name: str, connected_did: str | None = None) -> dict[str, Any]:
    """Export in the format of `@web5/agent` (`PortableIdentity` in its src/types/identity.ts)."""
    metadata = {"name": name, "tenant": portable_did.uri, "uri": portable_did.uri}
    if connected_did is not None:
        metadata["connectedDid"] = connected_did
    return {"portableDid": portable_did.to_wire(), "metadata": metadata}


def parse_portable_identity(portable_identity: Any) -> tuple[PortableDid, str, str | None]:
    """Return a portable identity's DID with its keys, its name, and the DID for which it acts, if any.

    Raises:
        IdentityError: it is not one, or it carries no private keys.
    """
    if not isinstance(portable_identity, Mapping) or "portableDid" not in portable_identity:
        raise IdentityError('This is not a portable identity: an object with "portableDid" and "metadata" is expected.')
    try:
        portable_did = PortableDid.from_wire(portable_identity["portableDid"])
    except DidError as error:
        raise IdentityError(f"The portable DID is malformed: {error}") from error
    if portable_did.document.id != portable_did.uri:
        raise IdentityError(f"The DID document is of {portable_did.document.id}, not of {portable_did.uri}.")
    if not portable_did.private_keys:
        raise IdentityError(
            f"The export of {portable_did.uri} has no private keys, so nothing could be signed with it."
        )
    given = portable_identity.get("metadata")
    metadata = given if isinstance(given, Mapping) else {}
    name, connected_did = (
        value if isinstance(value, str) else "" for value in map(metadata.get, ("name", "connectedDid"))
    )
    return portable_did, name or "Imported", connected_did or None


def _unknown(did: str) -> IdentityError:
    return IdentityError(f"{did} is not on this agent. Import it first.")
