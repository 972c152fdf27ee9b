"""Makers of ProtocolsConfigure and ProtocolsQuery."""

from __future__ import annotations

from tests.interop.engine.streams import authoring, definitions, odd_definitions
from tests.interop.engine.streams.authoring import without_none
from tests.interop.engine.streams.cast import Actor
from tests.interop.engine.streams.step import Message, Signed, Step
from tests.interop.engine.streams.world import PERMISSIONS, World


class Protocols:
    def __init__(self, world: World) -> None:
        self.world = world

    def configure(self) -> Step:
        world = self.world
        tenant = world.tenant()
        uri = world.one(definitions.URIS) if world.maybe(0.97) else PERMISSIONS
        known = world.definitions.get((tenant.did, uri))
        if known is None or world.maybe(0.15):
            definition = definitions.definition(world, uri)
        else:
            definition = definitions.revised(world, known)
        signed = self._signed(tenant)
        time = world.now() if known is None or world.maybe(0.8) else world.near(world.later(-200_000))
        message = self._configure(definition, signed, time)

        step = world.step("configure", tenant, message, made=signed)

        def remember() -> None:
            if signed.signer is tenant and step.tenant == tenant.did:
                world.definitions[(tenant.did, uri)] = definition

        step.then = remember
        return step

    def faulty(self) -> Step:
        world = self.world
        tenant = world.tenant()
        definition = definitions.definition(world, world.one(definitions.URIS))
        for _ in range(world.one((1, 1, 1, 2))):
            try:
                definition = odd_definitions.faulty(world, definition)
            except (KeyError, TypeError, AttributeError, IndexError):
                break
        signed = Signed(tenant)
        message = self._configure(definition, signed, world.now())
        step = world.step("odd configure", tenant, message)
        if odd_definitions.is_usable(definition) and world.maybe(0.15):
            step.then = lambda: world.definitions.update({(tenant.did, definition["protocol"]): definition})
        return step

    def query(self) -> Step:
        world = self.world
        tenant = world.tenant()
        uri = world.one((*definitions.URIS, *definitions.URIS, "https://example.com/none"))
        filter = {"protocol": uri} if world.maybe(0.6) else None
        if filter and world.maybe(0.06):
            filter = world.one(
                ({"protocol": "Example.com/"}, {}, {"recipient": tenant.did}, {**filter, "recipient": tenant.did})
            )
        signed = self._reader(tenant)
        descriptor = without_none(interface="Protocols", method="Query", messageTimestamp=world.now(), filter=filter)
        made = signed if filter is None or set(filter) == {"protocol"} else None
        return world.step("protocols", tenant, authoring.plain(descriptor, signed), made=made)

    def _reader(self, tenant: Actor) -> Signed | None:
        world = self.world
        if world.maybe(0.3):
            return None
        if world.maybe(0.4):
            used = world.invoked(tenant, "Protocols", "Query")
            if used is not None:
                return used
        signer = world.author(tenant, 0.35)
        return Signed(signer, world.claims(tenant, signer, "Protocols", "Query", 0.7))

    def _signed(self, tenant: Actor) -> Signed:
        world = self.world
        if world.maybe(0.15):
            used = world.invoked(tenant, "Protocols", "Configure")
            if used is not None:
                return used
        return world.signed(
            tenant, author=tenant if world.maybe(0.8) else None, interface="Protocols", method="Configure"
        )

    def _configure(self, definition: Message, signed: Signed, time: str) -> Message:
        descriptor = {
            "interface": "Protocols",
            "method": "Configure",
            "messageTimestamp": time,
            "definition": definition,
        }
        return authoring.plain(descriptor, signed)
