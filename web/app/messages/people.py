"""The people and groups that the person knows: records that nobody else can read."""

from __future__ import annotations

from typing import Any

from app.messages.letters import GROUP
from app.messages.protocol import LONGEST_NAME, Membership, Person
from web5 import TypedRecord, Web5


class People:
    """Those of the identity in use."""

    def __init__(self, web5: Web5) -> None:
        self._web5 = web5
        self._persons: dict[str, TypedRecord[Person]] = {}
        self._groups: dict[str, TypedRecord[Membership]] = {}

    async def load(self) -> None:
        """Read all of them."""
        async for person in self._web5.records(Person).query():
            self.know(person)
        async for group in self._web5.records(Membership).query():
            self.know_group(group)

    async def read(self, path: str, id: str) -> None:
        """Read one that has changed. Raises NotFound."""
        if path == "person":
            self.know(await self._web5.records(Person).read(id))
        elif path == "group":
            self.know_group(await self._web5.records(Membership).read(id))

    def clear(self) -> None:
        """Forget all of them."""
        self._persons.clear()
        self._groups.clear()

    def know(self, person: TypedRecord[Person]) -> None:
        """Take a person in: of two records of the same one, which two devices made, the newer counts."""
        if self._is_own(person):
            _newest(self._persons, person.value.did, person)

    def know_group(self, group: TypedRecord[Membership]) -> None:
        """Take a group in, as `know`."""
        if self._is_own(group):
            _newest(self._groups, group.value.group, group)

    async def put(self, did: str, **changes: Any) -> None:
        """Note something of a person, who is then no stranger."""
        person = self._persons.get(did)
        if person is None:
            made = Person(**{"did": did, "standing": "accepted", **changes})
            self._persons[did] = await self._web5.records(Person).create(made)
        elif any(getattr(person.value, name) != value for name, value in changes.items()):
            # Meanwhile an event may have brought the state before, from which the next change must not begin.
            self._persons[did] = await person.update(**changes)

    async def put_group(self, group: str, **changes: Any) -> None:
        """Note something of a group; of one that is not known, all of it."""
        known = self._groups.get(group)
        if known is None:
            made = Membership(**{"group": group, **changes})
            self._groups[group] = await self._web5.records(Membership).create(made)
        elif any(getattr(known.value, name) != value for name, value in changes.items()):
            self._groups[group] = await known.update(**changes)

    def threads(self) -> list[str]:
        """Return the names of the conversations with everybody who is known."""
        return [*self._persons, *(GROUP + group for group in self._groups)]

    def groups(self) -> list[Membership]:
        """Return all groups."""
        return [one.value for one in self._groups.values()]

    def person(self, did: str) -> Person | None:
        """Return what is known of somebody."""
        found = self._persons.get(did)
        return None if found is None else found.value

    def group(self, group: str) -> Membership | None:
        """Return what is known of a group, by the ID of its record."""
        found = self._groups.get(group)
        return None if found is None else found.value

    def standing(self, thread: str) -> str:
        """Return "accepted", "blocked" or "stranger"; of a group, "accepted" if the person is or was in it."""
        if thread.startswith(GROUP):
            return "accepted" if thread.removeprefix(GROUP) in self._groups else "stranger"
        person = self.person(thread)
        return "stranger" if person is None else person.standing

    def name(self, thread: str) -> str:
        """Return what the person calls somebody, or the name of a group; it may be empty."""
        known = self.group(thread.removeprefix(GROUP)) if thread.startswith(GROUP) else self.person(thread)
        return "" if known is None else known.name[:LONGEST_NAME]

    def seen(self, thread: str) -> int:
        """Return the date of the newest message that was read."""
        known = self.group(thread.removeprefix(GROUP)) if thread.startswith(GROUP) else self.person(thread)
        return 0 if known is None else known.seen

    async def note_seen(self, thread: str, seen: int) -> None:
        """Note that all was read up to a date."""
        if thread.startswith(GROUP):
            await self.put_group(thread.removeprefix(GROUP), seen=seen)
        else:
            await self.put(thread, seen=seen)

    def _is_own(self, record: TypedRecord[Any]) -> bool:
        return record.is_valid and record.author == self._web5.connected_did


def _newest(known: dict[str, TypedRecord[Any]], name: str, record: TypedRecord[Any]) -> None:
    before = known.get(name)
    if before is None or before.record.date_modified <= record.record.date_modified:
        known[name] = record
