"""The identities that live on this agent, with their keys.

Invariants:
1. A private key reaches the database only sealed by the device's key.
2. An identity enters the store whole and checked, or not at all: its keys sign for its document.
3. At most one identity is the chosen one, which `Web5.connect` gives back.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from web5.crypto.jws import MessageSigner
from web5.dids.models import PortableDid
from web5.dids.signing import signer_for, signing_method
from web5.dwn.store.database import Database
from web5.errors import CryptoError, DidError, IdentityError
from web5.ports.crypto import Crypto, Jwk
from web5.ports.sealer import Sealer

Verify = Callable[[Jwk, bytes, bytes], Awaitable[bool]]

SCHEMA = (
    """
    CREATE TABLE agent_identity (
        id INTEGER PRIMARY KEY,
        did TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        chosen INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        published INTEGER,
        publish_error TEXT
    )
    """,
    "ALTER TABLE agent_identity ADD COLUMN connected_did TEXT",
)

_CHALLENGE = b"web5: do these keys belong to this document?"


@dataclass(frozen=True)
class Identity:
    """An identity as the agent lists it.

    Parameters:
        published: when its document was last published (microseconds).
        connected_did: the DID for which it acts, if it is a delegate's (`IdentityMetadata` of `@web5/agent`).
    """

    did: str
    name: str
    chosen: bool
    published: int | None
    publish_error: str | None
    connected_did: str | None = None


class IdentityStore:
    """Keeps identities in the agent's database, their keys sealed.

    Parameters:
        crypto: makes the signers.
        verify: tells whether an imported key belongs to its document. It must really verify: a memory of what was
            signed here would find every key right.
    """

    def __init__(self, database: Database, sealer: Sealer, crypto: Crypto, *, verify: Verify) -> None:
        self._database = database
        self._sealer = sealer
        self._crypto = crypto
        self._verify = verify
        self._signers: dict[str, MessageSigner] = {}
        database.migrate("agent", SCHEMA)

    def list(self) -> list[Identity]:
        """All identities, the oldest first."""
        rows = self._database.connection.execute(
            "SELECT did, name, chosen, published, publish_error, connected_did FROM agent_identity ORDER BY id"
        )
        return [Identity(did, name, bool(chosen), *rest) for did, name, chosen, *rest in rows]

    def get(self, did: str) -> Identity:
        """One of them.

        Raises:
            IdentityError: it is not on this agent.
        """
        for identity in self.list():
            if identity.did == did:
                return identity
        raise IdentityError(f"{did} is not on this agent. Import it first.")

    def chosen(self) -> Identity | None:
        """The identity that `Web5.connect` gives back, or None before the first launch."""
        known = self.list()
        return next((identity for identity in known if identity.chosen), known[0] if known else None)

    def unpublished(self) -> Sequence[str]:
        """The DIDs that resolve through a gateway and whose documents have never been given to one."""
        rows = self._database.connection.execute(
            "SELECT did FROM agent_identity WHERE published IS NULL AND did GLOB 'did:dht:*' ORDER BY id"
        )
        return [did for (did,) in rows]

    async def add(
        self,
        portable_did: PortableDid,
        name: str,
        published: int | None = None,
        connected_did: str | None = None,
    ) -> None:
        """Check and store an identity; durable on return. The first one becomes the chosen one.

        Parameters:
            published: when its document was published (microseconds), if it is.
            connected_did: the DID for which it acts, if it is a delegate's.

        Raises:
            IdentityError: it is here already, or its keys do not belong to its document.
        """
        if self._has(portable_did.uri):
            raise IdentityError(f"{portable_did.uri} is on this agent already.")
        signer = await self._checked_signer(portable_did)
        sealed = await self._sealed(portable_did)
        if self._has(portable_did.uri):  # once more: others ran while this one waited
            raise IdentityError(f"{portable_did.uri} is on this agent already.")
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO agent_identity (did, name, chosen, sealed, published, connected_did)"
                " VALUES (?, ?, NOT EXISTS (SELECT 1 FROM agent_identity), ?, ?, ?)",
                (portable_did.uri, name, sealed, published, connected_did),
            )
        self._signers[portable_did.uri] = signer
        await self._database.flush()

    async def portable_did(self, did: str) -> PortableDid:
        """The identity's DID with its private keys.

        Raises:
            IdentityError: it is not on this agent.
            CryptoError: the device's key does not open it.
        """
        row = self._database.connection.execute("SELECT sealed FROM agent_identity WHERE did = ?", (did,)).fetchone()
        if row is None:
            raise IdentityError(f"{did} is not on this agent. Import it first.")
        return PortableDid.from_wire(json.loads(await self._sealer.open(row[0])))

    async def signer(self, did: str) -> MessageSigner:
        """What signs DWN messages as `did`. Raises as `portable_did` does."""
        if did not in self._signers:
            self._signers[did] = await signer_for(await self.portable_did(did), self._crypto)
        return self._signers[did]

    async def choose(self, did: str) -> None:
        """Make `did` the one that `Web5.connect` gives back.

        Raises:
            IdentityError: it is not on this agent.
        """
        if not self._has(did):
            raise IdentityError(f"{did} is not on this agent. Import it first.")
        with self._database.transaction() as db:
            db.execute("UPDATE agent_identity SET chosen = (did = ?)", (did,))
        await self._database.flush()

    async def record_published(self, portable_did: PortableDid, at: int) -> None:
        """Keep the DID as it was published, with its new version.

        Parameters:
            at: when, in microseconds.
        """
        sealed = await self._sealed(portable_did)
        with self._database.transaction() as db:
            db.execute(
                "UPDATE agent_identity SET sealed = ?, published = ?, publish_error = NULL WHERE did = ?",
                (sealed, at, portable_did.uri),
            )
        await self._database.flush()

    async def record_publish_error(self, did: str, reason: str) -> None:
        """Note why the last attempt to publish the DID document failed."""
        with self._database.transaction() as db:
            db.execute("UPDATE agent_identity SET publish_error = ? WHERE did = ?", (reason, did))
        await self._database.flush()

    async def _sealed(self, portable_did: PortableDid) -> bytes:
        return await self._sealer.seal(json.dumps(portable_did.to_wire()).encode())

    def _has(self, did: str) -> bool:
        found = self._database.connection.execute("SELECT 1 FROM agent_identity WHERE did = ?", (did,)).fetchone()
        return found is not None

    async def _checked_signer(self, portable_did: PortableDid) -> MessageSigner:
        try:
            signer = await signer_for(portable_did, self._crypto)
            signature = await signer.raw.sign(_CHALLENGE)
            public_jwk = signing_method(portable_did.document).public_key_jwk or {}
            if await self._verify(public_jwk, _CHALLENGE, signature):
                return signer
        except (CryptoError, DidError) as error:
            raise IdentityError(f"The keys of {portable_did.uri} cannot be used: {error}") from error
        raise IdentityError(f"The private key for {signer.key_id} does not belong to the DID document.")


def export_portable_identity(portable_did: PortableDid, name: str, connected_did: str | None = None) -> dict[str, Any]:
    """The format of `@web5/agent`'s identity export (`PortableIdentity` in its src/types/identity.ts)."""
    metadata = {"name": name, "tenant": portable_did.uri, "uri": portable_did.uri}
    if connected_did is not None:
        metadata["connectedDid"] = connected_did
    return {"portableDid": portable_did.to_wire(), "metadata": metadata}


def parse_portable_identity(portable_identity: Any) -> tuple[PortableDid, str, str | None]:
    """Read a portable identity: the DID with its keys, the identity's name, and the DID for which it acts, if any.

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
    metadata = portable_identity.get("metadata")
    name, connected = (
        (metadata.get("name"), metadata.get("connectedDid")) if isinstance(metadata, Mapping) else (None, None)
    )
    return (
        portable_did,
        name if isinstance(name, str) and name else "Imported",
        connected if isinstance(connected, str) and connected else None,
    )
