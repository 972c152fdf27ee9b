"""The tenant gate of a stream: now and then a tenant is refused for some messages, with a reason or without."""

from __future__ import annotations

from tests.interop.engine.streams.world import World

CLOSES, OPENS = 0.01, 0.25
"""How likely it is that the gate closes to somebody, and opens to everybody, before a message."""
REASONS = ("", "not paid since März", "RegistrationRequired: see https://example.com/register", "x" * 300)


class Gate:
    def __init__(self, world: World) -> None:
        self.world = world
        self._refused: dict[str, str] = {}

    def refused(self) -> dict[str, str]:
        """Whom the gate refuses at the next message, and why; "" is for no reason given."""
        world = self.world
        if world.maybe(OPENS):
            self._refused = {}
        if world.maybe(CLOSES):
            self._refused = {**self._refused, world.tenant().did: world.one(REASONS)}
        return self._refused
