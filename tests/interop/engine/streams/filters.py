"""Filters of records: every property alone and with others, of what is there and of what is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.interop.engine.streams import definitions
from tests.interop.engine.streams.cast import Actor
from tests.interop.engine.streams.content import LABELS, NUMBERS
from tests.interop.engine.streams.step import Message
from tests.interop.engine.streams.world import World
from web5.dwn.values.timestamps import format_timestamp

WEIGHTS = {
    "protocol": 7.0,
    "protocolPath": 5.0,
    "contextId": 4.0,
    "schema": 4.0,
    "author": 4.0,
    "recipient": 4.0,
    "attester": 2.0,
    "recordId": 1.0,
    "parentId": 2.0,
    "published": 5.0,
    "dataFormat": 4.0,
    "dataCid": 1.0,
    "dataSize": 4.0,
    "dateCreated": 3.0,
    "dateUpdated": 3.0,
    "datePublished": 3.0,
    "tags": 5.0,
}


class Filters:
    def __init__(self, world: World) -> None:
        self.world = world

    def records(self, tenant: Actor, size: int) -> Message:
        world = self.world
        records = world.at(tenant)
        known = world.recent(world.likely(records), 60) if records else None
        descriptor = known.newest["descriptor"] if known else {}
        dids = [actor.did for actor in world.actors]
        makers: dict[str, Callable[[], Any]] = {
            "protocol": lambda: descriptor.get("protocol") or world.one(definitions.URIS),
            "protocolPath": lambda: descriptor.get("protocolPath") or "post",
            "contextId": lambda: self._prefix(known.context_id if known else None),
            "schema": lambda: descriptor.get("schema") or world.one(definitions.SCHEMAS),
            "author": lambda: self._some(dids),
            "recipient": lambda: self._some(dids),
            "attester": lambda: world.one(dids),
            "recordId": lambda: known.record_id if known else "bafyreinone",
            "parentId": lambda: descriptor.get("parentId") or (known.record_id if known else "x"),
            "published": lambda: world.maybe(0.5),
            "dataFormat": lambda: world.one(definitions.FORMATS),
            "dataCid": lambda: descriptor.get("dataCid", "bafkreinone"),
            "dataSize": lambda: self._range((0, 1, 20, 99.5, 30_000, 40_000)),
            "dateCreated": lambda: self.span(),
            "dateUpdated": lambda: self.span(),
            "datePublished": lambda: self.span(),
            "tags": lambda: dict(self._tag() for _ in range(world.one((1, 1, 1, 2)))),
        }
        names = set(world.rng.choices(list(makers), [WEIGHTS[name] for name in makers], k=size))
        made = {name: makers[name]() for name in makers if name in names}
        if world.maybe(0.02):
            made |= {"published": False, "author": world.did(), "recipient": self._some(dids)}
        if "datePublished" in made and made.get("published") is False:
            del made["published"]
        return made

    def _prefix(self, context: str | None) -> str:
        world = self.world
        context = context or "bafyreinone"
        return world.one((context, context, context.split("/")[0], context[: world.rng.randrange(1, len(context))]))

    def _some(self, values: list[str]) -> Any:
        world = self.world
        return world.one(values) if world.maybe(0.5) else world.rng.sample(values, world.rng.randrange(4))

    def _range(self, values: tuple[Any, ...]) -> Message:
        world = self.world
        low, high = world.one(("gt", "gte", None)), world.one(("lt", "lte"))
        bounds = sorted(world.rng.sample(values, 2))
        if low is None:
            return {high: bounds[1]}
        return {low: bounds[0]} if world.maybe(0.2) else {low: bounds[0], high: bounds[1]}

    def span(self) -> Message:
        world = self.world
        start = world.us - world.rng.randrange(1, 400_000)
        span = {"from": format_timestamp(start), "to": format_timestamp(start + world.rng.randrange(1, 300_000))}
        drop = world.one(("from", "to", None))
        return {name: value for name, value in span.items() if name != drop}

    def _tag(self) -> tuple[str, Any]:
        world = self.world
        name = world.one(("label", "labels", "count", "counts", "flag", "none", "protocol"))
        if name == "flag":
            return name, world.maybe(0.5)
        if name == "protocol":
            return name, world.one(definitions.URIS)
        if name.startswith("count"):
            return name, world.one(NUMBERS) if world.maybe(0.4) else self._range(NUMBERS)
        way = world.rng.randrange(3)
        if way == 0:
            return name, world.one(LABELS)
        return name, {"startsWith": world.one(LABELS)} if way == 1 else self._range(LABELS)
