"""Everything that is simulated, put together: servers, devices, and what is known of all that the person did."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from tests.simulation.agents import gateway_checks, invariants
from tests.simulation.agents.chance import AgentCrypto
from tests.simulation.agents.facts import Facts, Note
from tests.simulation.agents.web import Net, Server, SimHttp, SimResponse
from tests.simulation.story import Story
from tests.simulation.virtual_time import SimClock
from web5.agent.identities import KIND
from web5.dids.dht.bep44 import SignedItem
from web5.dids.models import PortableDid
from web5.dids.resolver import default_resolver
from web5.dwn import Dwn
from web5.dwn.store.database import Database, open_memory
from web5.dwn.store.memory import MemoryBlobs
from web5.node.gateway import create_gateway
from web5.node.registration import Registrations, RegistrationSettings
from web5.node.server import create_app

if TYPE_CHECKING:
    from tests.simulation.agents.device import AgentDevice
    from tests.simulation.agents.plan import Plan

REQUESTS_AT_MOST = 12_000
DEMANDS = {
    "": RegistrationSettings(),
    "terms": RegistrationSettings(terms="Be kind."),
    "work": RegistrationSettings(hashes=64),
}


@dataclass(eq=False)
class Node:
    """A remote DWN; `wipes` counts how often it lost everything."""

    server: Server
    dwn: Dwn
    demands: str
    wipes: int = 0

    @property
    def url(self) -> str:
        return self.server.url

    def holds(self, note: Note) -> bool:
        """Return True if it has a note."""
        store = self.dwn.store
        return any(row.latest for row in store.record(store.tenant(note.did), note.record_id))


@dataclass(eq=False)
class Gateway:
    """A DID DHT gateway.

    Attributes:
        history: what it held, the oldest first, by DID, with the moment from which it did.
        ever: the DIDs that it ever had.
    """

    server: Server
    database: Database
    history: dict[str, list[tuple[float, SignedItem]]] = field(default_factory=dict)
    ever: set[str] = field(default_factory=set)


class World:
    """One simulation.

    Attributes:
        facts: by DID, of the identities; `agent` those of the agent, whose words are `words`.
        records: the records that keep each identity, by DID.
        failures: what was found to be wrong so far.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.story = Story()
        self.net = Net()
        self.clock = SimClock()
        self.crypto = AgentCrypto(self.random("keys"))
        self.devices: list[AgentDevice] = []
        self.nodes: dict[str, Node] = {}
        self.gateways: list[str] = []
        self.gateway_state: dict[str, Gateway] = {}
        self.facts: dict[str, Facts] = {}
        self.records: dict[str, set[str]] = {}
        self.agent = Facts("", [], [], [])
        self.words = ""
        self.failures: list[str] = []
        self.counts: Counter[str] = Counter()

    def random(self, what: str) -> Random:
        """Return the random numbers for one matter, so that one more of them changes no other matter."""
        return Random(f"{self.plan.seed}/agents/{what}")

    def fail(self, what: str) -> None:
        """Something was found to be wrong."""
        if what not in self.failures:
            self.failures.append(what)
            self.story.add("FAILURE", "{}", what)

    def count(self, device: AgentDevice) -> None:
        """Count a request of a device; far too many of them end the simulation."""
        self.counts["requests"] += 1
        if self.counts["requests"] > REQUESTS_AT_MOST:
            self.fail(f"there were more than {REQUESTS_AT_MOST} requests")
            asyncio.get_running_loop().stop()

    async def added(self, device: AgentDevice, portable_did: PortableDid) -> None:
        """An identity is new on a device."""
        agent, did = device.agent, portable_did.uri
        if did not in self.facts:
            identity = agent.identities.get(did)
            keys, urls = list(portable_did.private_keys or ()), list(portable_did.document.dwn_endpoints)
            self.facts[did] = Facts(did, keys, urls, [identity.name], by_default=identity.by_default)
            self.story.name(did, f"identity{len(self.facts)}")
            self.story.add(device.name, "has {}, named {}", did, identity.name)
        if device.agent.vault.agent_did == self.agent.did:
            self.records.setdefault(did, set()).update(
                record_id for record_id, entry in agent.records._entries.items() if entry.key == (KIND, did)
            )

    def look(self, device: AgentDevice) -> None:
        """See that all is well on a device."""
        invariants.look(self, device)

    # -- servers

    async def gateway(self) -> None:
        name = f"gateway{len(self.gateways)}"
        database, url = open_memory(), f"https://{name}.example"
        server = Server(name, url, create_gateway(database, self.crypto, self.clock), self.clock)
        gateway = Gateway(server, database)

        def watch(device: AgentDevice | None, method: str, path: str, body: bytes, response: SimResponse) -> None:
            try:
                gateway_checks.watch(self, gateway, device, method, path, body, response)
            except Exception as error:  # or the device would take it for the gateway's fault
                self.fail(f"the check of a request failed: {error!r}")

        server.watch = watch
        self.net.servers[url] = server
        self.gateways.append(url)
        self.gateway_state[url] = gateway
        self.story.name(url, name)

    async def node(self, demands: str) -> Node:
        name = f"node{len(self.nodes)}"
        url = f"https://{name}.example"
        dwn, app = await self._dwn(name, demands)
        server = Server(name, url, app, self.clock)
        self.net.servers[url] = server
        node = self.nodes[url] = Node(server, dwn, demands)
        self.story.name(url, name)
        return node

    async def wipe(self, node: Node) -> None:
        """Let a node lose everything, its tenants' registrations too, as one does that is set up anew."""
        node.wipes += 1
        node.dwn, node.server.app = await self._dwn(node.server.name, node.demands)
        self.story.add(node.server.name, "is wiped")

    async def _dwn(self, name: str, demands: str) -> tuple[Dwn, object]:
        database = open_memory()
        http = SimHttp(self.net, name, self.random(f"network of {name}"))
        gate = Registrations(database, DEMANDS[demands], self.clock)
        dwn = Dwn(
            database=database,
            blobs=MemoryBlobs(),
            resolver=default_resolver(http, self.crypto, self.clock, *self.gateways),
            crypto=self.crypto,
            clock=self.clock,
            tenant_gate=gate,
        )
        await dwn.open()
        return dwn, create_app({"": dwn}, registrations={"": gate})

    def endpoints_for(self, device: AgentDevice) -> list[str]:
        """Return the nodes that the site's settings name: the first two."""
        return list(self.nodes)[:2]

    # -- the persons's facts

    def fact(self, did: str) -> Facts:
        """Return the facts of a DID, of the agent or of an identity."""
        return self.agent if did == self.agent.did else self.facts[did]

    def published(self) -> list[tuple[str, str, int]]:
        """Return which version of each document each gateway has."""
        return sorted(
            (url, did, items[-1][1].seq)
            for url, gateway in self.gateway_state.items()
            for did, items in gateway.history.items()
        )
