"""What is checked of every document that is given to a gateway, whatever the gateway makes of it.

Invariants:
1. A document that a device signs anew brings nothing back that the document before had lost, and loses nothing that it
   had, unless the person added or removed that: an older document is never published over a newer one.

It is asked of a device only where the gateway had shown it the document before, and that is older than `RACE`: two
devices that change the same document at the same moment cannot know of each other, and both see to it afterwards.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from web5.crypto.encoding import z32_decode
from web5.dids.dht.bep44 import SignedItem, parse_relay_payload
from web5.dids.dht.identity import identity_key_to_did
from web5.dids.dht.packet import from_packet
from web5.errors import CryptoError, DidError

if TYPE_CHECKING:
    from tests.simulation.agents.device import AgentDevice
    from tests.simulation.agents.web import SimResponse
    from tests.simulation.agents.world import Gateway, World

RACE = 60.0


def watch(
    world: World,
    gateway: Gateway,
    device: AgentDevice | None,
    method: str,
    path: str,
    body: bytes,
    response: SimResponse,
) -> None:
    """Look at a request to a gateway, and at its answer."""
    key = z32_decode(path[1:])
    did = identity_key_to_did(key)
    now, held = asyncio.get_running_loop().time(), gateway.history.get(did, [])
    if method == "GET":
        if device is not None and response.status == 200:
            device.shown[gateway.server.url, did] = parse_relay_payload(key, response.body).seq
        return
    try:
        item = parse_relay_payload(key, body)
    except (CryptoError, DidError):
        return
    if device is not None and held and all(one != item for _, one in held):
        _check(world, gateway, device, did, item)
    if response.status == 200 and (not held or held[-1][1] != item):
        gateway.ever.add(did)
        gateway.history.setdefault(did, []).append((now, item))
        world.story.add(gateway.server.name, "holds {} of {}: {}", item.seq, did, ", ".join(endpoints(did, item)))


def _check(world: World, gateway: Gateway, device: AgentDevice, did: str, item: SignedItem) -> None:
    now = asyncio.get_running_loop().time()
    since, newest = gateway.history[did][-1]
    if device.shown.get((gateway.server.url, did), 0) < newest.seq or now - since < RACE:
        return
    facts = world.facts.get(did) or (world.agent if did == world.agent.did else None)
    if facts is None:
        return
    before, after = endpoints(did, newest), endpoints(did, item)
    for url in before:
        if url not in after and not facts.touched(url, added=False):
            world.fail(f"{device.name} publishes a document of {world.story.called(did)} that has lost {url}")
    for url in after:
        if url not in before and not facts.touched(url, added=True):
            world.fail(f"{device.name} publishes a document of {world.story.called(did)} that brings {url} back")


def endpoints(did: str, item: SignedItem) -> list[str]:
    """Return the DWNs that a published document names."""
    return list(from_packet(did, item.value).document.dwn_endpoints)
