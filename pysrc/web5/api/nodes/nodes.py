"""`web5.nodes`: the remote nodes of an identity, and with them those of the agent, whose records come back with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from web5.agent.agent import Agent
from web5.agent.delegation.actor import Actor
from web5.agent.publication.dwn_service import with_dwn_endpoints
from web5.agent.publication.status import PublicationStatus
from web5.api import arguments
from web5.api.nodes.moving import check_scope, make_found, make_same
from web5.dids.resolver import dwn_endpoints
from web5.errors import InvalidArgument
from web5.remote.info import ServerInfo
from web5.settings import Progress, ignore_progress
from web5.sync import Activity, Difference, EndpointStatus, RegistrationState
from web5.urls import normal_endpoint, same_endpoint


class NodeState(StrEnum):
    """The state of an identity's data at one of its nodes."""

    IN_STEP = "in step"
    """It has what is here, and nothing that is not here, as far as the last visit told."""
    PENDING = "pending"
    """Something is still to be brought there or fetched, or it was not visited yet. Sync goes on by itself."""
    UNREACHABLE = "unreachable"
    """It cannot be reached, or does not answer as a DWN does, and is tried again by itself."""
    BLOCKED = "blocked"
    """It takes nothing, or not everything, until somebody does something about it."""


@dataclass(frozen=True, slots=True)
class Node:
    """A remote node of an identity.

    Parameters:
        url: its URL, in normal form.
        state: of the identity's data there.
        reason: why it is not in step, where that is known.
        status: that of sync in full: counts, times, registration; None before sync has looked at the node.
        info: what its `/info` said, if it was asked since the agent was opened.
    """

    url: str
    state: NodeState
    reason: str | None
    status: EndpointStatus | None
    info: ServerInfo | None

    @property
    def last_success(self) -> datetime | None:
        """The time of the last visit that did all that it was to do."""
        return None if self.status is None else self.status.last_success

    def __hash__(self) -> int:
        return hash((self.url, self.state))

    def __repr__(self) -> str:
        return f"<Node {self}>"

    def __str__(self) -> str:
        return f"{self.url}: {self.state}" + (f", {self.reason}" if self.reason else "")


class NodesApi:
    """The remote nodes of this identity. What is added or removed here, is so for the agent's own records too.

    For these hold the identity and its keys: the recovery phrase finds them at the agent's nodes. To choose the two
    apart there are `identities.set_dwn_endpoints` and `vault.set_dwn_endpoints`.
    """

    def __init__(self, agent: Agent, actor: Actor) -> None:
        self._agent = agent
        self._did = actor.did
        self._signer = actor.delegate_did or actor.did

    async def list(self) -> list[Node]:
        """Return the nodes that the identity's DID document names, in its order, with the state of each.

        Raises:
            DidError: the app is a delegate, and the document of the one for whom it acts cannot be resolved.
            VaultLocked: the vault is locked.
        """
        statuses = {same_endpoint(one.endpoint): one for one in self._agent.sync.status(self._did)}
        return [self._node(url, statuses.get(url)) for url in await self._named(self._did)]

    @property
    def published(self) -> PublicationStatus:
        """The state of publication of the DID that signs here, by which others find these nodes."""
        return self._agent.publication(self._signer)

    async def add(self, url: str) -> None:
        """Add a node, which sync fills from now on; one that is there already is no error.

        Parameters:
            url: its URL; https:// may be missing.

        Raises:
            InvalidArgument: that is no URL, or one that a document cannot name or has no room for. Nothing is changed.
            IdentityError: the identity's document cannot be changed, as that of somebody for whom the app acts. Nothing
                is changed.
        """
        agent, url = await self._agent.as_node(), normalized(url)
        lists = {did: urls for did in self._both if url not in (urls := await self._named(did))}
        for did, urls in lists.items():  # what one of the two cannot name, neither gets
            with_dwn_endpoints(await agent.keyring.portable_did(did), [*urls, url], agent.clock.now())
        for did, urls in lists.items():
            await agent.set_dwn_endpoints(did, [*urls, url])

    async def remove(self, url: str, *, force: bool = False) -> None:
        """Remove a node, which keeps what it has; one that is not there is no error.

        What it alone has is fetched first. The agent stays on it while another identity does.

        Parameters:
            force: let go of it at once, whatever it alone has.

        Raises:
            NodeNeeded: it still has something, or cannot be asked. Nothing is changed.
            InvalidArgument: that is no URL.
            IdentityError: the identity's document cannot be changed.
        """
        url = normalized(url)
        others = [one.did for one in self._agent.identities.list() if one.did != self._did]
        shared = [url in await self._named(did) for did in others]
        leaving = self._both[: 1 if any(shared) else 2]
        agent = await self._agent.as_node()
        for did in () if force else leaving:
            await agent.sync.fetch_the_rest(did, [url])
        for did in leaving:
            urls = await self._named(did)
            if url in urls:
                await agent.set_dwn_endpoints(did, [one for one in urls if one != url], force=True)

    async def move(self, source: str, target: str, *, on_progress: Progress = ignore_progress) -> Sequence[Difference]:
        """Move house: from one of the nodes to another, which is filled, compared and named in the DID document first.

        If it fails, both are nodes of this identity, and it can be repeated. The old one keeps what it has. Who has
        looked the DID up before may go on to write there, until what he knows of it is out of date, within hours.

        Parameters:
            source: the node to leave.
            target: the one to go to; it may be one of the nodes already.
            on_progress: called with (step, done, total): "fill", in messages, "compare", "publish", "leave".

        Returns:
            The proof: how both compared with what is here, for this DID and the agent, before the old one was left.

        Raises:
            NodeNeeded: the two do not hold the same, or others do not find the DID at the new one; the reason is in it.
            InvalidArgument: one is no URL, `source` is none of the nodes, or they are the same; or the document cannot
                name `target`. Nothing is changed.
            IdentityError: the identity's document cannot be changed. Nothing is changed.
        """
        source, target = normalized(source), normalized(target)
        if source == target:
            raise InvalidArgument(f"source and target are both {source}.")
        if source not in await self._named(self._did):
            raise InvalidArgument(f"source={arguments.shown(source)} is none of this identity's nodes.")
        agent = await self._agent.as_node()
        moving = [did for did in self._both if source in await self._named(did)]
        await check_scope(agent, moving, source)
        await self.add(target)
        same = await make_same(agent, moving, source, target, on_progress)
        on_progress("publish", 0, 1)
        await make_found(agent, moving, source)
        on_progress("publish", 1, 1)
        on_progress("leave", 0, 1)
        await self.remove(source)
        await agent.publish_all()
        for did in self._both:  # which nodes there are now is a record of the agent's
            await agent.sync.now("push", did)
        on_progress("leave", 1, 1)
        return same

    async def info(self, url: str) -> ServerInfo:
        """Ask a node for its description: what runs there, and what it demands of those who want to register.

        Raises:
            InvalidArgument: that is no URL.
            RemoteError: it cannot be reached, or does not answer as a DWN server does.
        """
        return await self._agent.remote.info(self._did, normalized(url))

    async def check(self, url: str | None = None) -> Sequence[Difference]:
        """Compare the messages of this identity that are here with those that its nodes really hold.

        Differences that sync did not know of are handed to it, so that the next sync mends them. `sync.check` compares
        the agent's own records too.

        Parameters:
            url: one of the nodes; by default all of them.

        Raises:
            InvalidArgument: it is none of the nodes.
        """
        wanted = None if url is None else normalized(url)
        if wanted is not None and wanted not in await self._named(self._did):
            raise InvalidArgument(f"url={arguments.shown(url)} is none of this identity's nodes: see `nodes.list()`.")
        found = await self._agent.sync.check([self._did])
        return [one for one in found if wanted in (None, same_endpoint(one.endpoint))]

    @property
    def _both(self) -> tuple[str, str]:
        return self._did, self._agent.vault.agent_did or ""

    async def _named(self, did: str) -> Sequence[str]:
        if did == self._did != self._signer:
            return list(map(same_endpoint, await dwn_endpoints(self._agent.resolver, did)))
        return list(map(same_endpoint, await self._agent.dwn_endpoints(did)))

    def _node(self, url: str, status: EndpointStatus | None) -> Node:
        state, reason = (NodeState.PENDING, _UNSEEN) if status is None else state_of(status)
        return Node(url, state, reason, status, self._agent.remote.known_info(url))


def state_of(status: EndpointStatus) -> tuple[NodeState, str | None]:
    """Return the state of a node by that of its sync, with the reason."""
    registration, error = status.registration, status.last_error
    told = None if error is None else error.detail
    if registration.asks:
        return NodeState.BLOCKED, _ASKS[registration.state]
    if status.activity is Activity.BLOCKED:
        return NodeState.BLOCKED, told or status.did_error
    if status.did_error is not None:
        return NodeState.PENDING, status.did_error
    if status.activity is Activity.FAILING:
        return NodeState.UNREACHABLE, told
    if status.refused or status.displaced:
        number = status.refused + status.displaced
        return NodeState.BLOCKED, f"{number} message{'' if number == 1 else 's'} refused; see `sync.unsettled()`"
    if status.pending_out or status.pending_in:
        return NodeState.PENDING, f"{status.pending_out} to bring there, {status.pending_in} to fetch"
    if status.last_success is None:
        return NodeState.PENDING, _UNSEEN
    return NodeState.IN_STEP, None


_UNSEEN = "it was not visited yet"
_ASKS = {
    RegistrationState.TERMS: "it wants its terms of service to be agreed to: `sync.registration`, `sync.accept_terms`",
    RegistrationState.WORK: "it wants a proof of work that takes long: `sync.registration`, `sync.accept_work`",
    RegistrationState.INVITATION: "it takes those who were invited: `sync.use_invitation`, with a code",
}


def normalized(text: str) -> str:
    """Return the normal form of a node's URL as a person types it: https:// may be missing.

    Raises:
        InvalidArgument: it is none.
    """
    url = arguments.text("url", text).strip()
    if "://" not in url:
        url = f"https://{url}"
    endpoint = None if any(char.isspace() or char in "?#" for char in url) else normal_endpoint(url)
    if endpoint is None:
        raise InvalidArgument(
            f"{arguments.shown(text)} is not the address of a node. It looks like https://dwn.example.org"
        )
    return endpoint
