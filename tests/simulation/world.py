"""Everything that is simulated, put together: persons, devices, endpoints, and what is known of all messages."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Coroutine, Iterable
from random import Random
from typing import TYPE_CHECKING, Any

from tests.simulation.account import Account, Authored
from tests.simulation.delegation_rules import held, watching
from tests.simulation.device import Device
from tests.simulation.network import Endpoint, Outside
from tests.simulation.people import Directory, Person, SimCrypto, SimResolver
from tests.simulation.registrations import Gate
from tests.simulation.story import Story
from tests.simulation.traffic import Traffic
from tests.simulation.virtual_time import SimClock
from web5.dwn import Dwn
from web5.dwn.store.database import open_memory
from web5.dwn.store.memory import MemoryBlobs
from web5.dwn.time_window import WINDOW_SECONDS

if TYPE_CHECKING:
    from tests.simulation.plan import Plan


REQUESTS_AT_MOST = 10_000
"""Of all devices; a scenario needs some hundreds, and a thousand or two if nothing goes well."""


class World:
    """One simulation.

    Attributes:
        people: the persons whose DWNs these are; `guest` is somebody else.
        documents: the endpoints in each person's DID document.
        for_good, habit: the endpoint that is never well again, and the faults of its requests (`for_good`).
        failures: what was found to be wrong so far.
        revocations: of grants, by the record ID of the grant.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.story = Story()
        self.account = Account()
        self.traffic = Traffic()
        self.directory = Directory()
        self.crypto = SimCrypto(self.random("keys"))
        self.clock = SimClock()
        self.people: list[Person] = []
        self.guest: Person
        self.devices: list[Device] = []
        self.endpoints: dict[str, Endpoint] = {}
        self.documents: dict[str, list[Endpoint]] = {}
        self.for_good: Endpoint | None = None
        self.habit: tuple[str, ...] = ()
        self.failures: list[str] = []
        self.moments: dict[str, str] = {}
        self.chores: set[str] = set()
        self.gates: defaultdict[str, Gate] = defaultdict(Gate)
        self.revocations: dict[str, list[Authored]] = {}
        self._outside = Outside()

    def random(self, what: str) -> Random:
        """Return the random numbers for one matter, so that one more of them changes no other matter."""
        return Random(f"{self.plan.seed}/{what}")

    def fail(self, what: str) -> None:
        """Something was found to be wrong."""
        if what not in self.failures:
            self.failures.append(what)
            self.story.add("FAILURE", "{}", what)

    def count(self, device: Device, endpoint: Endpoint, kind: str) -> None:
        """Count a request of a device; far too many of them end the simulation."""
        self.traffic.requests[device.name, endpoint.name, kind] += 1
        if self.traffic.requests.total() > REQUESTS_AT_MOST:
            self.fail(f"there were more than {REQUESTS_AT_MOST} requests")
            asyncio.get_running_loop().stop()

    # -- running things that belong to no device

    async def outside(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Have something done by the rest of the world, and wait for it."""
        return await self._outside.wait_for(work)

    def later(self, work: Awaitable[Any]) -> None:
        """Have something done by the rest of the world, sometime."""
        self._outside.later(work)

    # -- who there is

    async def person(self, name: str) -> Person:
        person = await Person.make(name, self.crypto)
        self.story.name(person.did, name)
        return person

    async def node(self, name: str) -> Dwn:
        """Return an empty remote node; every other one looks at dates, as the reference does not."""
        windowed = self.random(f"time window of {name}").random() < 0.5
        dwn = Dwn(
            database=open_memory(),
            blobs=MemoryBlobs(),
            resolver=SimResolver(self.directory, lag=0.0),
            crypto=self.crypto,
            clock=self.clock,
            window_seconds=WINDOW_SECONDS if windowed else None,
            tenant_gate=self.gates[name],
        )
        await dwn.open()
        return dwn

    async def endpoint(self, name: str, *, web_sockets: bool) -> Endpoint:
        endpoint = Endpoint(name, f"https://{name}.example", await self.node(name), web_sockets)
        self._watch(endpoint)
        self.endpoints[endpoint.url] = endpoint
        self.story.name(endpoint.url, name)
        return endpoint

    def _watch(self, endpoint: Endpoint) -> None:
        dwn = endpoint.dwn

        def stored(applied: Any) -> None:
            if endpoint.dwn is dwn and endpoint in self.documents.get(applied.tenant, ()):
                self.account.stored(applied.message_cid)

        dwn.after_commit.append(stored)
        dwn.in_transaction.append(watching(self, endpoint.name, dwn))

    # -- endpoints come and go

    async def publish(self, person: Person, endpoints: Iterable[Endpoint]) -> None:
        """Publish a DID document of a person that names these endpoints."""
        before = self.documents.get(person.did, [])
        now = self.documents[person.did] = list(endpoints)
        for endpoint in before:
            if endpoint not in now:
                endpoint.epoch += 1
                await self._gone(endpoint.dwn, person.did)
        for endpoint in now:
            if endpoint not in before:
                endpoint.epoch += 1
                for cid in held(endpoint.dwn, person.did):
                    self.account.stored(cid)
        self.directory.publish(person, [endpoint.url for endpoint in now])
        self.story.add(person.name, "has the endpoints {}", ", ".join(endpoint.name for endpoint in now))

    async def wipe(self, endpoint: Endpoint) -> None:
        """Let an endpoint lose everything, as one does that is set up anew."""
        old, endpoint.dwn = endpoint.dwn, await self.node(endpoint.name)
        endpoint.epoch += 1
        endpoint.wiped = True
        endpoint.damaged.clear()
        self._watch(endpoint)
        endpoint.break_connections()
        for person in self.people:
            await self._gone(old, person.did)
        self.story.add(endpoint.name, "is wiped")

    async def give_up(self, endpoint: Endpoint | None) -> None:
        """Record that messages which only an endpoint has that gives nothing need not come from there."""
        for person in self.people if endpoint is not None else ():
            await self._gone(endpoint.dwn, person.did)

    async def _gone(self, dwn: Dwn, tenant: str) -> None:
        """Record that messages which only this node has do not exist any more."""
        await self.lost_with(tenant, held(dwn, tenant), dwn)

    async def lost_with(self, tenant: str, cids: set[str], dwn: Dwn | None = None) -> None:
        """Record that whoever had these messages has them no more: what nobody has any more does not exist.

        Parameters:
            dwn: an endpoint's, that does not count as having them.
        """
        left: set[str] = set()
        for endpoint in self.documents[tenant]:
            if endpoint.dwn is not dwn:
                left |= held(endpoint.dwn, tenant)
        for device in self.devices:
            left |= await device.survives(tenant)
        self.account.lost(tenant, cids, left)

    def devices_of(self, tenant: str) -> list[Device]:
        return [device for device in self.devices if any(one.did == tenant for one in device.identities)]
