"""What a stream has sent so far, and the choices that all its makers share."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.interop.engine.streams.cast import Actor, cast
from tests.interop.engine.streams.step import Message, Signed, Step
from web5.dwn.values.timestamps import format_timestamp, parse_timestamp

T = TypeVar("T")

START = 1_714_521_600_000_000
MILLISECOND = 1000
DAY = 86_400_000_000
PERMISSIONS = "https://tbd.website/dwn/permissions"


@dataclass
class Record:
    """A record that was sent; nothing says that it was accepted.

    Parameters:
        sound: it probably was.
        dataless: it was sent without its data.
    """

    tenant: Actor
    author: Actor
    writes: list[Message]
    signed: Signed
    data: bytes
    sound: bool = False
    dataless: bool = False
    deleted: bool = False

    @property
    def first(self) -> Message:
        return self.writes[0]

    @property
    def newest(self) -> Message:
        return self.writes[-1]

    @property
    def record_id(self) -> str:
        return str(self.first["recordId"])

    @property
    def context_id(self) -> str | None:
        return self.first.get("contextId")

    @property
    def protocol(self) -> str | None:
        return self.first["descriptor"].get("protocol")

    @property
    def path(self) -> str | None:
        return self.first["descriptor"].get("protocolPath")


@dataclass
class Grant:
    """A permission grant that was sent to the grantor's DWN, or only handed to the grantee."""

    record: Record
    message: Message
    grantor: Actor
    grantee: Actor
    scope: Message
    delegated: bool
    expires: str = ""
    revoked: bool = False


@dataclass
class World:
    seed: int
    rng: random.Random = field(init=False)
    actors: list[Actor] = field(init=False)
    us: int = START
    count: int = 0
    records: list[Record] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    requests: list[Record] = field(default_factory=list)
    definitions: dict[tuple[str, str], Message] = field(default_factory=dict)
    sent: list[Step] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.actors = cast(self.seed)

    # Chance

    def maybe(self, chance: float) -> bool:
        return self.rng.random() < chance

    def one(self, values: Sequence[T]) -> T:
        return self.rng.choice(values)

    def weighted(self, table: dict[T, float]) -> T:
        return self.rng.choices(list(table), list(table.values()))[0]

    def some(self, values: Sequence[T], least: int = 1) -> list[T]:
        return self.rng.sample(list(values), self.rng.randrange(least, len(values) + 1))

    def recent(self, values: Sequence[T], size: int = 30) -> T:
        return self.rng.choice(values[-size:])

    # Time

    def now(self) -> str:
        """A millisecond later, as a rule; sometimes the very same time, sometimes a little before."""
        chance = self.rng.random()
        if chance > 0.05:
            self.us += MILLISECOND
        if chance > 0.97:
            return format_timestamp(self.us - self.rng.randrange(1, 20 * MILLISECOND))
        return format_timestamp(self.us)

    def near(self, time: str) -> str:
        return format_timestamp(parse_timestamp(time) + self.one((-1000, 0, 0, 0, 1)))

    def later(self, us: int) -> str:
        return format_timestamp(self.us + us)

    # Persons and places

    @property
    def owner(self) -> Actor:
        return self.actors[0]

    def tenant(self) -> Actor:
        return self.weighted({self.actors[0]: 0.75, self.actors[1]: 0.2, self.actors[2]: 0.05})

    def anyone(self) -> Actor:
        return self.one(self.actors)

    def did(self) -> str:
        return self.anyone().did

    def author(self, tenant: Actor, chance: float = 0.6) -> Actor:
        return tenant if self.maybe(chance) else self.anyone()

    def place(self, tenant: Actor) -> str:
        """Where a message goes: to whom it was made for, as a rule."""
        return tenant.did if self.maybe(0.96) else self.did()

    def actor(self, did: str | None) -> Actor:
        return next((actor for actor in self.actors if actor.did == did), self.owner)

    # What was sent

    def step(self, what: str, tenant: Actor, message: Any, data: bytes | None = None, **more: Any) -> Step:
        self.count += 1
        return Step(self.count, what, self.place(tenant), message, data, **more)

    def at(self, tenant: Actor, **wanted: str | None) -> list[Record]:
        """The records sent to a tenant that have these properties."""
        return [
            record
            for record in self.records
            if record.tenant is tenant and all(getattr(record, name) == value for name, value in wanted.items())
        ]

    def protocols(self, tenant: Actor) -> list[Message]:
        return [definition for (did, _), definition in self.definitions.items() if did == tenant.did]

    def likely(self, records: list[Record]) -> list[Record]:
        """The records that are probably there, unless chance or want of any says otherwise."""
        sound = [record for record in records if record.sound and not record.deleted]
        return sound if sound and self.maybe(0.85) else records

    def keep(self, record: Record) -> None:
        self.records.append(record)
        self.blobs[record.newest["descriptor"]["dataCid"]] = record.data

    def usable_grants(self, *, delegated: bool, grantor: Actor | None = None) -> list[Grant]:
        return [
            grant
            for grant in self.grants
            if grant.delegated == delegated and (grantor is None or grant.grantor is grantor)
        ]

    # How a message is signed

    def signed(self, tenant: Actor, *, author: Actor | None = None, interface: str, method: str) -> Signed:
        """By its author, or by a delegate; now and then under a grant or a role."""
        if author is not tenant and self.maybe(0.2):
            used = self.invoked(tenant, interface, method)
            if used is not None:
                return used
        grants = [grant for grant in self.usable_grants(delegated=True) if author in (None, grant.grantor)]
        fitting = [g for g in grants if (g.scope["interface"], g.scope["method"]) == (interface, method)]
        if grants and self.maybe(0.14):
            grant = self.recent(fitting) if fitting and self.maybe(0.85) else self.recent(grants)
            signer = grant.grantee if self.maybe(0.93) else self.anyone()
            return Signed(signer, self.claims(tenant, signer, interface, method, 0.02), grant.message)
        signer = author or self.author(tenant)
        return Signed(signer, self.claims(tenant, signer, interface, method, 0.2 if signer is not tenant else 0.05))

    def invoked(self, tenant: Actor, interface: str, method: str) -> Signed | None:
        """By somebody to whom the tenant granted this."""
        kind = (interface, method)
        grants = [g for g in self.grants if g.grantor is tenant and (g.scope["interface"], g.scope["method"]) == kind]
        if not grants:
            return None
        grant = self.recent(grants)
        return Signed(grant.grantee, {"permissionGrantId": grant.record.record_id})

    def claims(self, tenant: Actor, signer: Actor, interface: str, method: str, chance: float) -> dict[str, str]:
        """A grant, if there is one that this signer might use."""
        if not self.maybe(chance):
            return {}
        grants = [g for g in self.grants if g.grantee is signer and g.grantor is tenant]
        fitting = [g for g in grants if (g.scope["interface"], g.scope["method"]) == (interface, method)]
        if fitting and self.maybe(0.85):
            return {"permissionGrantId": self.recent(fitting).record.record_id}
        if (grants or self.grants) and self.maybe(0.9):
            return {"permissionGrantId": self.recent(grants or self.grants).record.record_id}
        known = self.recent(self.records).record_id if self.records else "bafyreinone"
        return {"permissionGrantId": self.one((known, "x", ""))}

    def role(self, tenant: Actor, signer: Actor, protocol: str | None, chance: float) -> dict[str, str]:
        """A role to invoke, if the protocol has any: one that the signer was given, as a rule."""
        definition = self.definitions.get((tenant.did, protocol or ""))
        if definition is None or not self.maybe(chance):
            return {}
        roles = role_paths(definition["structure"])
        given = [
            record.path
            for record in self.at(tenant, protocol=protocol)
            if record.path in roles and record.first["descriptor"].get("recipient") == signer.did and record.sound
        ]
        if given and self.maybe(0.85):
            return {"protocolRole": str(self.recent(given))}
        if roles and self.maybe(0.85):
            return {"protocolRole": self.one(roles)}
        return {"protocolRole": self.one(("post", "thread/none", "$actions", "", "admin"))}


def role_paths(structure: Message, prefix: str = "") -> list[str]:
    found = []
    for name, rules in structure.items():
        if name.startswith("$") or not isinstance(rules, dict):
            continue
        if rules.get("$role"):
            found.append(prefix + name)
        found += role_paths(rules, f"{prefix}{name}/")
    return found


def paths(structure: Message, prefix: str = "") -> list[str]:
    found = []
    for name, rules in structure.items():
        if not name.startswith("$") and isinstance(rules, dict):
            found += [prefix + name, *paths(rules, f"{prefix}{name}/")]
    return found


def anyone_can(rules: Message, action: str) -> bool:
    rule = [rule for rule in rules.get("$actions", []) if rule.get("who") == "anyone"]
    return any(action in one["can"] for one in rule)


def rules_at(definition: Message, path: str) -> Message:
    rules: Any = definition["structure"]
    for name in path.split("/"):
        rules = rules.get(name) if isinstance(rules, dict) else None
    return rules if isinstance(rules, dict) else {}
