"""`web5.identities`, `web5.vault` and `web5.did`: an agent's identities, the vault of their keys, anybody's DIDs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

from web5.agent.agent import Agent
from web5.agent.identities import Identity
from web5.agent.publication.status import PublicationStatus
from web5.api import arguments
from web5.api.identities.erasing import EraseReport, erase
from web5.dids import dht, jwk, key
from web5.dids.dht import KeySpec
from web5.dids.dht.method import publish_by
from web5.dids.models import DidDereferencingResult, DidResolutionResult, PortableDid
from web5.dids.resolver import dereference
from web5.errors import InvalidArgument, NoGateway, VaultLocked
from web5.ports.crypto import KeyAlgorithm

DidMethodName = Literal["dht", "jwk", "key"]


class IdentitiesApi:
    """The identities on this agent, which are the same on all of its devices.

    Where a method takes a `did`, it raises IdentityError if that identity is not on this agent. While the vault is
    locked, which keeps them, each raises VaultLocked.
    """

    def __init__(self, agent: Agent) -> None:
        self._locked_or_not = agent

    @property
    def _agent(self) -> Agent:
        if self._locked_or_not.vault.state == "locked":
            raise VaultLocked("The vault is locked, and the identities with it. Unlock it first.")
        return self._locked_or_not

    def list(self) -> list[Identity]:
        """Return all identities, the oldest first."""
        return self._agent.identities.list()

    async def create(self, name: str, *, dwn_endpoints: Sequence[str] | None = None) -> Identity:
        """Make another identity with a new `did:dht`, which is published in the background.

        Parameters:
            name: how the person knows it.
            dwn_endpoints: the URLs of its remote DWNs; by default those of the agent itself, so that its words bring
                back both. With none, it lives on this agent's devices only.
        """
        agent = self._agent
        if dwn_endpoints is None:
            dwn_endpoints = await agent.dwn_endpoints(agent.vault.agent_did or "")
        return await agent.create_identity(name, dwn_endpoints)

    async def rename(self, did: str, name: str) -> None:
        """Give an identity another name.

        Raises:
            IdentityError: also if the name is blank.
        """
        await self._agent.identities.rename(did, name)

    async def choose(self, did: str) -> None:
        """Make an identity the one that `Web5.connect` gives on this device."""
        await self._agent.identities.choose(did)

    async def set_dwn_endpoints(self, did: str, urls: Sequence[str], *, force: bool = False) -> None:
        """Choose the remote DWNs of an identity, and publish its DID document anew.

        Sync fills a node that is added, and lets go of one that is not named any more, which keeps what it has; what it
        alone has is fetched first.

        Parameters:
            force: let go of it at once, whatever it alone has.

        Raises:
            NodeNeeded: it still has something, or cannot be asked. Nothing is changed.
            InvalidArgument: a URL is none of http or https.
        """
        await self._agent.set_dwn_endpoints(did, urls, force=force)

    async def delete(self, did: str) -> None:
        """Delete an identity with its keys, on all devices of this agent.

        Without an export nothing brings it back. What its remote DWNs hold stays there, and what the devices hold does,
        out of sight: see `erase`.
        """
        await self._agent.identities.delete(did)

    async def erase(self, did: str, *, at_nodes: bool = False, force: bool = False) -> EraseReport:
        """Delete an identity as `delete` does, and erase everything of it from this device.

        That are its messages and their data, and what sync knew of them. Other devices of the agent keep theirs, until
        they erase them: it goes by the DID also where the identity is gone. docs/archive.md says what stays where.

        Parameters:
            at_nodes: delete all of its records first, and wait until its remote DWNs have the deletes. They keep these,
                the first message of each record without its data, and the protocols: no DWN forgets them.
            force: do it although something would be lost, or not all deletes have arrived.

        Raises:
            OnlyHere: something is nowhere else, was sent to others and has not arrived, or a remote DWN has not taken
                all deletes. Nothing is erased; with `at_nodes`, the deletes are made, and go on to the remote DWNs.
            InvalidArgument: it is the agent itself; or a delegate's, and `at_nodes` is for the owner.
            IdentityError: nothing of it is here; or a delegate here acts for it, which is to be erased itself.
        """
        return await erase(await self._agent.as_node(), did, at_nodes=at_nodes, force=force)

    async def export(self, did: str) -> dict[str, Any]:
        """Return the portable identity, **with its private keys**, as `@web5/agent` exports it."""
        return await self._agent.export_identity(did)

    async def import_(self, portable_identity: Any) -> Identity:
        """Take a portable identity of ours or of `@web5/agent`; sync begins to fill it.

        Raises:
            IdentityError: it is malformed, without usable keys, or here already. Nothing is changed.
        """
        return await self._agent.import_identity(portable_identity)


class VaultApi:
    """The vault that keeps the keys of this agent, and the words that bring it back elsewhere."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    @property
    def agent_did(self) -> str | None:
        """The DID of the agent itself, whose records hold the identities; also while locked."""
        return self._agent.vault.agent_did

    @property
    def state(self) -> Literal["new", "locked", "unlocked"]:
        """The state of the vault; "new" before the first launch."""
        return self._agent.vault.state

    @property
    def protection(self) -> Literal["password", "device"] | None:
        """The key that opens it.

        "device" is one that no script can read, but that everybody who can use this browser profile (or account) can
        use; deleting the site's data destroys it, and without the words the identities with it.
        """
        return self._agent.vault.protection

    @property
    def published(self) -> PublicationStatus:
        """The state of publication of the agent's DID, which has to be found for its words to bring it back."""
        return self._agent.publication(self._agent.vault.agent_did or "")

    @property
    def keeps_recovery_phrase(self) -> bool:
        """True until `forget_recovery_phrase`: nobody has written the words down yet. Also while locked."""
        return self._agent.vault.keeps_recovery_phrase

    async def lock(self) -> None:
        """Stop sync and forget every key until `unlock`; what needs one raises VaultLocked meanwhile."""
        await self._agent.lock()

    async def unlock(self, password: str | None = None) -> None:
        """Unlock the vault; sync is to be started anew.

        Raises:
            WrongPassword: that is not its password.
            VaultLocked: it has a password, and none was given.
        """
        await self._agent.unlock(password)

    async def change_password(self, old: str | None, new: str | None) -> None:
        """Give the vault another password. The words stay the same, and so do the passwords of other devices.

        Parameters:
            old: None if there is none yet.
            new: None to have this device's key protect it again.

        Raises:
            WrongPassword: `old` is not its password.
            InvalidArgument: `new` has fewer than 8 characters.
        """
        await self._agent.vault.change_password(old, new)

    async def recovery_phrase(self) -> str | None:
        """Return the twelve words (BIP-39), or None once they were erased by `forget_recovery_phrase`.

        Raises:
            VaultLocked: it is locked.
        """
        return await self._agent.vault.recovery_phrase()

    async def forget_recovery_phrase(self) -> None:
        """Erase the words from this device, once they are written down. Nothing can show them again."""
        await self._agent.vault.forget_recovery_phrase()

    async def set_dwn_endpoints(self, urls: Sequence[str], *, force: bool = False) -> None:
        """Choose the remote DWNs that keep the agent's own records; recovery needs at least one of them.

        Raises:
            NodeNeeded: as for `IdentitiesApi.set_dwn_endpoints`.
            InvalidArgument: a URL is none of http or https.
        """
        await self._agent.set_dwn_endpoints(self._agent.vault.agent_did or "", urls, force=force)


class DidApi:
    """Resolution of DIDs in did:dht, did:jwk, did:key and did:web, and new ones in the first three."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    async def create(
        self,
        method: DidMethodName = "dht",
        *,
        algorithm: KeyAlgorithm | None = None,
        verification_methods: Sequence[KeySpec] = (),
        services: Sequence[dict[str, Any]] = (),
        also_known_as: Sequence[str] = (),
        controllers: str | Sequence[str] = (),
        types: Sequence[int | str] = (),
        publish: bool = True,
    ) -> PortableDid:
        """Make a DID and its keys, which are nowhere but in what is returned.

        An identity of this agent is made by `identities.create`, which keeps its keys and keeps it published.

        Parameters:
            method: "dht", "jwk" or "key".
            algorithm: of the key of a did:jwk or did:key; by default "Ed25519".
            verification_methods, services, also_known_as, controllers, types: of a did:dht, as
                `web5.dids.dht.create` takes them.
            publish: publish the document of a did:dht; it is found for some hours, unless it is published again.

        Raises:
            InvalidArgument: there is no such method, or one of the others is not for it.
            NoGateway: a did:dht is to be published, and no gateway is set. Nothing is made.
            DidError: the document has no room for that, or the gateways refused it.
            RemoteError: no gateway was reached.
        """
        crypto = self._agent.crypto
        of_dht = {
            "verification_methods": verification_methods,
            "services": services,
            "also_known_as": also_known_as,
            "controllers": controllers,
            "types": types,
        }
        if method == "dht":
            if algorithm is not None:
                raise InvalidArgument("algorithm is for did:jwk and did:key; for did:dht, give verification_methods.")
            if publish and not self._agent.gateways.uris:
                raise NoGateway
            made = await dht.create(crypto, **of_dht)  # type: ignore[arg-type]
            if not publish:
                return made
            return await publish_by((await self._agent.as_node()).gateways, made, crypto, self._agent.clock)
        arguments.choice("method", method, get_args(DidMethodName))
        if given := [name for name, value in of_dht.items() if value]:
            raise InvalidArgument(f"{given[0]} is for did:dht alone: a did:{method} is its key, and nothing else.")
        if algorithm is not None:
            arguments.choice("algorithm", algorithm, get_args(KeyAlgorithm))
        return await (jwk.create if method == "jwk" else key.create)(crypto, algorithm or "Ed25519")

    async def resolve(self, did_uri: str) -> DidResolutionResult:
        """Resolve a DID. Never raises: errors are in `did_resolution_metadata` (DID Core, section 7.1)."""
        return await self._agent.resolver.resolve(did_uri)

    async def dereference(self, did_url: str) -> DidDereferencingResult:
        """Return the key or service that a DID URL names. Never raises: errors are in `dereferencing_metadata`."""
        return await dereference(self._agent.resolver, did_url)
