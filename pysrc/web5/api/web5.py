"""`Web5.connect`: an identity, a DWN on this device, and sync with the remote ones, in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from warnings import warn

from pydantic import BaseModel

from web5.agent.agent import Agent
from web5.agent.delegation.actor import Actor, Delegate
from web5.agent.delegation.authorize import A_YEAR, create_delegation
from web5.agent.delegation.delegation import METHODS, Delegation, ProtocolPermissions
from web5.agent.identities import Identity
from web5.agent.leases import Lease
from web5.api import arguments
from web5.api.anonymous import Anonymous, anonymous
from web5.api.devices import DevicesApi, JoinDevice
from web5.api.identities.archive import Archives
from web5.api.identities.identities import DidApi, IdentitiesApi, VaultApi
from web5.api.messages.messages import MessagesApi
from web5.api.nodes.nodes import NodesApi
from web5.api.nodes.registering import OnRegistration, RegistrationTeller
from web5.api.opening import Asked, Opened, accepted, ask_for_delegation, unlocked_agent
from web5.api.permissions.delegation import DelegationApi
from web5.api.permissions.permissions import PermissionsApi
from web5.api.protocols import ProtocolsApi
from web5.api.records.records import RecordsApi
from web5.api.sync import SyncApi
from web5.api.typed.records import TypedRecords
from web5.dids.models import PortableDid
from web5.errors import DelegationError, NotPublishedWarning, RecoveryError
from web5.platform import OPTIONS, Config
from web5.settings import Progress, ignore_progress

if TYPE_CHECKING:
    from web5.agent.delegation.connect.app import WalletConnect
    from web5.api.permissions.wallet import WalletApi
    from web5.api.vc import VcApi

M = TypeVar("M", bound=BaseModel)


class DwnApi:
    """The local DWN, and others' remote ones: `web5.dwn.records`, `.protocols`, `.permissions`, `.messages`."""

    def __init__(self, agent: Agent, actor: Actor) -> None:
        self.records = RecordsApi(agent, actor)
        self.protocols = ProtocolsApi(agent, actor)
        self.permissions = PermissionsApi(agent, actor)
        self.messages = MessagesApi(agent, actor)


class Connection(tuple["Web5", str]):
    """The result of `Web5.connect`; it unpacks into two: `web5, did = await Web5.connect()`.

    As a context it gives the API, and closes it: `async with await Web5.connect() as web5:`.

    Attributes:
        web5: the API.
        did: the DID for which the app acts.
        delegate_did: the DID that signs for it, if the app is its delegate; else None.
        created: True if this connection made the identity.
        recovery_phrase: the words of an agent that this connection made, to be written down; else None.
    """

    web5: Web5
    did: str
    delegate_did: str | None
    created: bool
    recovery_phrase: str | None

    def __new__(cls, web5: Web5, *, created: bool, recovery_phrase: str | None = None) -> Self:
        one = super().__new__(cls, (web5, web5.connected_did))
        one.web5, one.did, one.delegate_did = web5, web5.connected_did, web5.delegate_did
        one.created, one.recovery_phrase = created, recovery_phrase
        return one

    async def __aenter__(self) -> Web5:
        return self.web5

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.web5.close()

    def __repr__(self) -> str:
        return f"<Connection {_names(self.did, self.delegate_did)}>"


class Web5(Archives):
    """The Web5 API for one identity of an agent.

    Attributes:
        connected_did: the DID for which the app acts.
        delegate_did: the DID that signs for it, with its grants; None: it signs itself.
        dwn, did, devices, identities, nodes, sync, vault: the parts of the API.
        delegation: the grants of the delegate; None if the app is none.
    """

    def __init__(
        self, agent: Agent, connected_did: str, delegate_did: str | None = None, *, lease: Lease | None = None
    ) -> None:
        self.agent = agent
        self._lease = lease
        self.connected_did = connected_did
        self.delegate_did = delegate_did
        self.delegation: DelegationApi | None = None
        actor = agent.actor(connected_did, delegate_did)
        if isinstance(actor, Delegate):
            self.delegation = DelegationApi(agent, actor)
        self.dwn = DwnApi(agent, actor)
        self.did = DidApi(agent)
        self.identities = IdentitiesApi(agent)
        self.sync = SyncApi(agent, actor)
        self.nodes = NodesApi(agent, actor)
        self.devices = DevicesApi(agent)
        self.vault = VaultApi(agent)
        self._registrations: RegistrationTeller | None = None

    @cached_property
    def vc(self) -> VcApi:
        """Verifiable credentials."""
        from web5.api.vc import VcApi  # a start has no use for it

        return VcApi(self.agent, self.connected_did, self.dwn.records)

    @cached_property
    def wallet(self) -> WalletApi:
        """Apps that ask by a link to act for this identity."""
        from web5.api.permissions.wallet import WalletApi  # likewise

        return WalletApi(self.agent, self.agent.actor(self.connected_did, self.delegate_did))

    def __repr__(self) -> str:
        return f"<Web5 {_names(self.connected_did, self.delegate_did)}>"

    @classmethod
    async def connect(
        cls,
        *,
        sync: str | None = None,
        dwn_endpoints: Sequence[str] | None = None,
        did_dht_gateways: Sequence[str] | None = None,
        config: Config | None = None,
        password: str | None = None,
        recovery_phrase: str | None = None,
        agent: Agent | None = None,
        on_progress: Progress = ignore_progress,
        registration: OnRegistration | None = None,
        wallet: WalletConnect | None = None,
        join: JoinDevice | None = None,
        **platform_options: Any,
    ) -> Connection:
        """Open this device's DWN and give its identity, making one on the first launch.

        Where this interpreter has it open already, as when a notebook's cell runs again, the agent is the same one; it
        is closed by the last `close`. Where another tab, worker or cell of the origin has, this one works through that,
        and takes its place when it goes.

        Where the chosen identity is a delegate's, the app acts for the DID that it was connected with. Nothing here
        waits for the network, recovery excepted: the identity is published, and sync runs, in the background.

        Parameters:
            sync: the interval, as npm's `ms` takes it ("2m", "30s", "1 hour"), "live", or "off"; by default "2m",
                but where the agent is open already, it stays as it is.
            dwn_endpoints: URLs of the remote DWNs of an agent and an identity that are made now (`nodes` adds some
                later); by default what `config` says.
            did_dht_gateways: URLs of DID DHT gateways, the preferred one first; by default what `config` says. Without
                any, DIDs are made and not published, which is made up for by itself once there is one.
            config: the settings, as `web5.settings.Settings`, a dict, or the URL (on CPython also the path) of a
                config.json; what is given by name counts before what it says. By default the config.json of the site
                that the page or worker belongs to, on CPython that which the variable WEB5_CONFIG names; where there is
                none, nothing is set, which is told by a NotPublishedWarning.
            password: unlocks the vault; on the first launch, what it is to be unlocked with from then on. Without one a
                key of this device protects it, see `VaultApi.protection`.
            recovery_phrase: the words of an agent that is to come back here, with all its identities and their records;
                on the agent's own device they give it the new password.
            agent: an agent that is open already; by default the platform's own.
            on_progress: called with (step, done, total) while the store is being opened and an agent recovered; with
                ("settings", failures, 0) while the site's config.json cannot be fetched, without which nothing is made.
            registration: called with a DID, the URL of a node, and the `Registration` there, of this identity and the
                agent: as it is now, where the node has demanded one, and after each change until `close`; its `state`
                is "done", "failed" with the `reason`, or asks for the person's consent. No `async def`; what it raises
                goes to the event loop's exception handler.
            wallet: how the person's wallet is asked for a delegation, where this app is nobody's delegate yet; the app
                is one from then on. It is asked on every start until it has answered.
            join: how this device comes to the agent of another one, which shows a code (`devices.offer`). It waits
                until the person has let it in there. What is here already moves into that agent.
            platform_options: passed to the platform: `name` (the store's name) in the browser, `data_path` and
                `allow_local` (see `web5.cpython.agent.open_agent`) on CPython;
                `share_sockets=True` has all identities use one WebSocket to a node, which saves connections, and tells
                the node that they belong together.

        Raises:
            InvalidArgument: an argument does not exist, cannot be used, or contradicts the agent that is open here
                already; a password is given for a vault that has none, or a new one has fewer than 8 characters.
            VaultLocked: the vault has a password, and none is given.
            WrongPassword: it is another one.
            NotPaired: the other device did not let this one in; its `reason` says why.
            NotConnected: the wallet did not answer, or the PIN was wrong; the next start asks again.
            RecoveryError: the words are none, or nothing can be recovered by them now; nothing is changed. Or the agent
                is back, and has no identity.
            SettingsError: `config`, or the site's config.json, cannot be used.
            Unreachable, TimedOut: on CPython, nobody answers under the URL in `config`.
            StorageBusy: another process has the store.
            StorageError: the store cannot be opened.
        """
        asked = Asked(
            sync=sync,
            dwn_endpoints=dwn_endpoints,
            did_dht_gateways=did_dht_gateways,
            config=config,
            password=password,
            recovery_phrase=recovery_phrase,
            agent=agent,
            on_progress=on_progress,
            registration=registration,
            join=join,
            platform_options=platform_options,
        )
        async with unlocked_agent(asked) as opened:
            agent = opened.agent
            identity = agent.identities.chosen()
            if wallet is not None and (identity is None or identity.connected_did is None):
                on_progress("wallet", 0, 1)
                given = await ask_for_delegation(agent, wallet)
                identity, created = await accepted(asked, opened, given, wallet.display_name)
                return cls._connection(asked, opened, identity, created=created)
            if created := identity is None:
                if recovery_phrase is not None or join is not None:
                    raise RecoveryError("The agent is back, but its nodes hold no identity. Connect again to make one.")
                on_progress("identity", 0, 1)
                identity = await agent.create_identity("Default", opened.endpoints, by_default=True)
            await agent.identities.keep_choice()
            await opened.sync(sync)
            return cls._connection(asked, opened, identity, created=created)

    @classmethod
    async def connect_as_delegate(
        cls,
        delegation: Any,
        *,
        keys: PortableDid | None = None,
        name: str = "Delegate",
        sync: str | None = None,
        dwn_endpoints: Sequence[str] | None = None,
        did_dht_gateways: Sequence[str] | None = None,
        config: Config | None = None,
        password: str | None = None,
        agent: Agent | None = None,
        on_progress: Progress = ignore_progress,
        registration: OnRegistration | None = None,
        **platform_options: Any,
    ) -> Connection:
        """Open this device's DWN and act for the DID whose owner gave this delegation. `connect` does so from then on.

        Unless sync is off, this returns once what is granted has been fetched, or could not be (`web5.sync.status`).

        Parameters:
            delegation: what the owner's `web5.authorize` gave, as JSON, or what the connect flow of web5-js gives.
            keys: the delegate's, if they are not in the delegation.
            name: how the person knows it.
            the others: as for `connect`.

        Raises:
            DelegationError: it is no delegation, lacks grants or keys, or the owner's signature cannot be verified now.
            IdentityError: the keys do not fit, or the owner, or another delegate of it, is on this agent.
            InvalidArgument, VaultLocked, WrongPassword, SettingsError, StorageBusy, StorageError: as for `connect`.
        """
        asked = Asked(
            sync=sync,
            dwn_endpoints=dwn_endpoints,
            did_dht_gateways=did_dht_gateways,
            config=config,
            password=password,
            agent=agent,
            on_progress=on_progress,
            registration=registration,
            platform_options=platform_options,
        )
        given = Delegation.from_json(delegation)
        async with unlocked_agent(asked) as opened:
            identity, created = await accepted(asked, opened, given, name, keys)
            return cls._connection(asked, opened, identity, created=created)

    @classmethod
    def anonymous(
        cls, *, did_dht_gateways: Sequence[str] | None = None, config: Config | None = None, **platform_options: Any
    ) -> AbstractAsyncContextManager[Anonymous]:
        """Read what others have published, without a DID: `async with Web5.anonymous() as anybody`.

        Nothing is made, signed or stored; `anybody.records` reads and queries.

        Parameters:
            did_dht_gateways, config: as for `connect`; without a gateway, no did:dht can be resolved.
            platform_options: `allow_local` and `http` on CPython, as for `connect`.

        Raises:
            InvalidArgument, SettingsError: as for `connect`.
        """
        known = sorted(OPTIONS & {"allow_local", "http"})
        if unknown := sorted(platform_options.keys() - set(known)):
            raise arguments.unknown_name(
                "argument", unknown[0], ["did_dht_gateways", "config", *known], of="anonymous()"
            )
        return anonymous(did_dht_gateways, config, platform_options)

    async def authorize(
        self,
        delegate_did: str | None = None,
        *,
        permissions: Sequence[ProtocolPermissions],
        expires: datetime | timedelta = A_YEAR,
        description: str | None = None,
    ) -> dict[str, Any]:
        """Let an app act for this DID.

        Its grants are in every remote DWN that could be reached when this returns; sync brings them to the others.

        Parameters:
            delegate_did: the app's; by default a new one, **whose private keys are in what is returned**.
            permissions: for each protocol its definition, and any of read, write, delete, query, subscribe and
                configure. To see the protocol and to sync it is always granted too.
            expires: when the grants end (with a time zone), or after how long; the app can ask for others before.
            description: what the grants say of their purpose, such as the name of the app, for a person.

        Returns:
            The delegation as JSON, for the app's `Web5.connect_as_delegate`, and for that of web5-js.

        Raises:
            InvalidArgument: nothing is granted, a permission is unknown, or the end has passed.
            DelegationError: this is a delegate's connection, and who has grants cannot give them away.
            DwnError: a protocol is refused.
        """
        if self.delegate_did is not None:
            raise DelegationError(
                f"{self.delegate_did} is a delegate of {self.connected_did}; only the owner can grant."
            )
        arguments.text_or_none("description", description)
        for one in permissions:
            for name in arguments.texts("permissions", one.permissions):
                arguments.choice("permission", name, list(METHODS))
        given = await create_delegation(
            self.agent,
            self.connected_did,
            permissions,
            delegate_did=delegate_did,
            expires=expires,
            description=description,
        )
        return given.to_json()

    def records(
        self, model: type[M], *, from_: str | None = None, role: type[BaseModel] | str | None = None
    ) -> TypedRecords[M]:
        """Return the records of one type of a `Protocol` that is declared in Python.

        Parameters:
            model: the pydantic model of the type.
            from_: the DID in whose DWN they are asked for and written; by default the local one.
            role: the type of the role that is invoked there, or its path.

        Raises:
            InvalidArgument: the model was not declared, `from_` is no DID, or the role is none.
        """
        return TypedRecords(self.dwn.records, self.dwn.protocols, model, from_=from_, role=role)

    async def use(self, did: str) -> Web5:
        """Return the API for another identity of the same agent, which is the chosen one from now on.

        Raises:
            IdentityError: it is not on this agent.
            VaultLocked: the vault is locked.
        """
        await self.identities.choose(did)
        return self._of(self.agent, self.agent.identities.get(did), self._lease)

    @classmethod
    def _connection(cls, asked: Asked, opened: Opened, identity: Identity, *, created: bool) -> Connection:
        """Return what `connect` gives, which is called two frames above the warning."""
        if not (opened.agent.gateways.uris or asked.says_where):
            warn(_UNPUBLISHED, NotPublishedWarning, stacklevel=3)
        asked.on_progress("ready", 1, 1)
        web5 = cls._of(opened.agent, identity, opened.lease)
        if asked.registration is not None:
            dids = [web5.connected_did, opened.agent.vault.agent_did or ""]
            web5._registrations = RegistrationTeller(opened.agent, dids, asked.registration)
        return Connection(web5, created=created, recovery_phrase=opened.recovery_phrase)

    @classmethod
    def _of(cls, agent: Agent, identity: Identity, lease: Lease | None) -> Web5:
        if identity.connected_did is None:
            return cls(agent, identity.did, lease=lease)
        web5 = cls(agent, identity.connected_did, identity.did, lease=lease)
        assert web5.delegation is not None
        agent.keep_running(f"grants to {identity.did}", web5.delegation.watch)
        return web5

    @property
    def on_change(self) -> list[Callable[[str, str], None]]:
        """Callbacks, called with (tenant, message CID) after each message, made here or pulled, is durable."""
        return self.agent.on_change

    async def close(self) -> None:
        """Stop sync and close the store, unless somebody else in this interpreter is connected. Safe to call twice."""
        if self._registrations is not None:
            self._registrations.end()
        await (self._lease or self.agent).close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


def _names(did: str, delegate_did: str | None) -> str:
    return did if delegate_did is None else f"{did} as {delegate_did}"


_UNPUBLISHED = (
    "No DID DHT gateway is set, so the DIDs of this agent are made and not published: nobody else finds them, and its"
    " data stay on this device. Set one, by Web5.connect(did_dht_gateways=[…]) or in config.json; or say that none is"
    " wanted, by did_dht_gateways=[]."
)
