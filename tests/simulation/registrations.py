"""Endpoints that want their tenants registered: by terms that the person accepts later, and a little proof of work.

Real: the gate of our node with its routes, the client, and sync's registrar. An endpoint may demand it from some moment
on, have other terms, forget whom it knows, or shut a tenant out for a while.

Invariants:
1. What waits for a registration is told so, and arrives once the terms are accepted.
2. A device begins a registration no oftener than `SECONDS` after the last that was not done, unless it was agreed to,
   or the endpoint has served the tenant since, so that its refusal is another.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from random import Random
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from web5.dwn.store.database import open_memory
from web5.errors import StorageError, Unreachable
from web5.node.registration import Registrations, RegistrationSettings
from web5.ports.http import HttpResponse
from web5.remote.registration import RegistrationClient
from web5.sync import Registration, RegistrationState
from web5.sync.exchange.registrar import Registrar
from web5.sync.states import Wanted

if TYPE_CHECKING:
    from tests.simulation.device import Device
    from tests.simulation.network import Endpoint
    from tests.simulation.world import World

SHARE = 0.2
"""Of the seeds, those in which endpoints demand registration."""

SECONDS = 29.0
INCIDENT_WEIGHTS = {
    "an endpoint demands registration": 3,
    "an endpoint has new terms": 1,
    "an endpoint forgets its tenants": 1,
    "a tenant is shut out": 2,
    "the terms are accepted": 3,
}


def planned(seed: int, seconds: float) -> list[tuple[float, str]]:
    """Return what goes wrong with registrations in the scenario of a seed, and when."""
    random = Random(f"{seed}/registrations")
    if random.random() >= SHARE:
        return []
    some = random.choices(list(INCIDENT_WEIGHTS), list(INCIDENT_WEIGHTS.values()), k=random.randint(2, 5))
    first = (random.uniform(0, 0.5 * seconds), "an endpoint demands registration")
    return [first, *((random.uniform(0, seconds), what) for what in some)]


class Gate:
    """The gate of a node, which serves whoever meets its demands.

    Attributes:
        now: None: nothing is demanded.
        shut_out: DIDs that it does not serve for now.
    """

    def __init__(self) -> None:
        self.now: Registrations | None = None
        self.shut_out: set[str] = set()
        self.tenants = open_memory()
        self.settings = RegistrationSettings()

    def demand(self, settings: RegistrationSettings, world: World) -> None:
        self.settings = settings
        self.now = Registrations(self.tenants, settings, world.clock)

    async def refusal(self, tenant: str) -> str | None:
        if tenant in self.shut_out:
            return ""
        return None if self.now is None else await self.now.refusal(tenant)


class _Answer(HttpResponse):
    def __init__(self, url: str, response: Response) -> None:
        self.url, self.status, self.headers = url, response.status_code, {}
        self._body = bytes(response.body)

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._body

    async def close(self) -> None: ...


class SimHttp:
    """The way to what an endpoint has beside its RPC, for one run of a device."""

    def __init__(self, world: World, device: Device) -> None:
        self._world, self._device = world, device
        self._random = world.random(f"registrations of {device.name}, run {device.runs}")

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        timeout: float = 30.0,
    ) -> HttpResponse:
        target = next(one for one in self._world.endpoints.values() if url.startswith(f"{one.url}/"))
        path = url.removeprefix(target.url)
        await self._device.step(f"before {method} {path} at {target.name}")
        self._world.count(self._device, target, "registration")
        await asyncio.sleep(self._random.uniform(0.01, 0.3))
        if target.unreachable:
            raise Unreachable("connection refused")
        response = await self._world.outside(_answer(self._world, target, method, path, body or b""))
        self._world.story.add(self._device.name, "{} {} at {}: {}", method, path, target.name, response.status_code)
        await self._device.step(f"after {method} {path} at {target.name}")
        return _Answer(url, response)


async def _answer(world: World, target: Endpoint, method: str, path: str, body: bytes) -> Response:
    gate = world.gates[target.name]
    if path == "/info":
        requirements = [] if gate.now is None else gate.now.requirements
        return JSONResponse({"registrationRequirements": requirements, "webSocketSupport": target.web_sockets})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    for route in [] if gate.now is None else gate.now.routes(""):
        if isinstance(route, Route) and route.path == path and method in (route.methods or ()):
            found: Response = await route.endpoint(Request({"type": "http", "method": method, "headers": []}, receive))
            return found
    return Response(json.dumps("Not Found"), 404)


class SimRegistrar(Registrar):
    """The registrar of one run of a device, whose manners are looked at (invariant 2)."""

    def __init__(self, world: World, device: Device) -> None:
        assert device._database is not None
        super().__init__(RegistrationClient(lambda _: SimHttp(world, device)), device._database, device.clock)
        self._world, self._device = world, device
        self._last: dict[tuple[str, str], tuple[float, tuple[float, int]]] = {}

    async def _try(self, tenant: str, endpoint: str, attempts: int) -> Registration:
        key, excuse, now = (tenant, endpoint), self._excuse(), asyncio.get_running_loop().time()
        ended, before = self._last.pop(key, (-SECONDS, excuse))
        if now < ended + SECONDS and excuse == before:
            self._world.fail(f"{self._device.name} registers with {endpoint} again after {now - ended:.0f} s")
        is_done = False
        try:
            found = await super()._try(tenant, endpoint, attempts)
            is_done = found.state is RegistrationState.DONE
            return found
        finally:
            if not is_done and not self._device.disk.troubled:
                self._last[key] = asyncio.get_running_loop().time(), self._excuse()

    def _excuse(self) -> tuple[float, int]:
        """Return what changes when the next attempt may come early: the clock was set, or the outcome found no room."""
        return self._device.clock.skew, self._device.disk.fulls

    def record_served(self, tenant: str, endpoint: str) -> None:
        super().record_served(tenant, endpoint)
        self._last.pop((tenant, endpoint), None)

    async def accept(self) -> None:
        """Accept whatever is asked of the person."""
        for one in self._device.sync.status():
            if one.registration.state is RegistrationState.TERMS and one.registration.terms_hash:
                self._last.clear()
                try:
                    await self.accept_terms(one.endpoint, one.registration.terms_hash)
                    self._world.story.add(self._device.name, "accepts the terms of {}", one.endpoint)
                except StorageError as error:
                    self._world.story.add(self._device.name, "could not accept terms: {}", error)


async def _accept(device: Device) -> None:
    await device.registrar.accept()


async def accept_everywhere(world: World) -> None:
    """Have every device agree to all that it is asked for."""
    for device in world.devices:
        await device.outside_of_it(_accept(device))


async def check_told(world: World) -> None:
    """See that what is held up by a demand is told (invariant 1), before it is agreed to."""
    for person in world.people:
        for endpoint in world.documents[person.did]:
            if endpoint is world.for_good or await world.gates[endpoint.name].refusal(person.did) is None:
                continue
            for device in world.devices_of(person.did):
                for one in device.sync.status(person.did):
                    if one.endpoint == endpoint.url and one.last_error is None:
                        world.fail(f"{device.name} does not tell that {endpoint.name} wants a registration")
                rows = device.sync.unsettled(person.did, Wanted(endpoint.url), limit=None)
                for row in rows:
                    if row.state == "pending":
                        what = world.story.called(row.message_cid)
                        world.fail(f"{device.name} does not tell why {what} waits for {endpoint.name}")


# -- what happens


async def demands(world: World, random: Random) -> None:
    terms = random.choice((None, "", "Be nice.", "Be nice."))
    gate, name = _any(world, random)
    gate.demand(RegistrationSettings(terms, random.choice((4, 0)) if terms is not None else 4), world)
    world.story.add(name, "demands {}", ", ".join(gate.settings.requirements))


async def has_new_terms(world: World, random: Random) -> None:
    gate, name = _any(world, random)
    if gate.now is not None:
        gate.demand(RegistrationSettings(f"Be nice, version {random.randint(2, 99)}.", gate.settings.hashes), world)
        world.story.add(name, "has new terms")


async def forgets(world: World, random: Random) -> None:
    gate, name = _any(world, random)
    if gate.now is not None:
        with gate.tenants.transaction() as db:
            db.execute("DELETE FROM registered_tenant")
        world.story.add(name, "forgets its tenants")


async def shuts_out(world: World, random: Random) -> None:
    (gate, name), person = _any(world, random), random.choice(world.people)
    gate.shut_out.add(person.did)
    world.story.add(name, "serves {} no more", person.name)
    await asyncio.sleep(random.uniform(5, 60))
    gate.shut_out.discard(person.did)
    world.story.add(name, "serves {} again", person.name)


async def accepted(world: World, random: Random) -> None:
    for device in world.devices:
        device.give(_accept)


def _any(world: World, random: Random) -> tuple[Gate, str]:
    endpoint = random.choice(list(world.endpoints.values()))
    return world.gates[endpoint.name], endpoint.name


INCIDENTS: dict[str, Callable[[World, Random], Awaitable[None]]] = {
    "an endpoint demands registration": demands,
    "an endpoint has new terms": has_new_terms,
    "an endpoint forgets its tenants": forgets,
    "a tenant is shut out": shuts_out,
    "the terms are accepted": accepted,
}
