"""Groups: in the DWN of whoever began one, whose members write and read there by their role.

Invariants:
1. Only who began a group adds and removes its members; a member may leave.
2. A group is joined by the person alone, and only if it was somebody who is no stranger that invited them.
3. Each member has a copy of every message, made when it was heard of; files are fetched when they are looked at.
4. Who is no member any more is given nothing that is written later; what was copied stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypedDict

from app.messages.letters import GROUP, MOST_BYTES, Letters
from app.messages.people import People
from app.messages.protocol import GROUP_MESSAGE, LONGEST_NAME, ROLE, Group, Member, Membership, messaging
from web5 import Record, TypedRecord, TypedRecords, Web5
from web5.api.records.subscriptions import RecordSubscription
from web5.errors import Conflict, InvalidArgument, NotFound, Unauthorized, Web5Error
from web5.tasks import TaskSet

PAGE = 100
"""Messages of a group that are asked for at a time."""

PAUSE = 30.0
"""Seconds until a group's DWN that could not be asked is asked again, if no visit to the own nodes ends before."""

MOST_MEMBERS = 200


class Groups:
    """The groups of the identity in use.

    Parameters:
        changed: called when something is to be shown anew.
    """

    def __init__(
        self, web5: Web5, people: People, letters: Letters, tasks: TaskSet, changed: Callable[[], None]
    ) -> None:
        self._web5 = web5
        self._people = people
        self._letters = letters
        self._tasks = tasks
        self._changed = changed
        self._members: dict[str, list[str]] = {}
        self._followed: set[str] = set()
        self._visited = asyncio.Event()

    def wake(self) -> None:
        """Ask the DWNs of groups anew, since the own nodes were just visited."""
        before, self._visited = self._visited, asyncio.Event()
        before.set()

    def follow(self) -> None:
        """Hear of what is written in the groups that the person has joined, and end what is to be left."""
        for group in self._people.groups():
            own = group.owner == self._web5.connected_did
            if not own and group.stage != "left" and group.group not in self._followed:
                self._followed.add(group.group)
                self._tasks.start(self._follow(group.group))

    async def make(self, name: str, key: str) -> str:
        """Begin a group, and return the ID of its record; the same call again gives the same one."""
        name = name.strip()[:LONGEST_NAME]
        if not name:
            raise InvalidArgument("A group has a name.")
        made = await self._web5.records(Group).query(key=key)
        group = made[0] if made else await self._web5.records(Group).create(Group(name=name, key=key))
        me = self._web5.connected_did
        await self._people.put_group(group.id, owner=me, name=name, stage="joined")
        return group.id

    async def add(self, group: str, did: str) -> TypedRecord[Member]:
        """Let somebody read and write in a group of one's own, from now on and what was written before.

        Raises:
            EncryptionError: nothing can be encrypted for them, or they cannot be found.
        """
        self._own(group)
        known = await self._roles(group)
        if did in known:
            return known[did]
        if len(known) >= MOST_MEMBERS:
            raise InvalidArgument(f"A group has at most {MOST_MEMBERS} people.")
        return await self._web5.records(Member).create(Member(), parent=group, recipient=did)

    async def remove(self, group: str, did: str) -> None:
        """Invariant 4; one who is no member is no error."""
        self._own(group)
        async for role in self._web5.records(Member).query(parent=group):
            if role.record.recipient == did:
                await role.delete()

    async def join(self, group: str, owner: str, name: str) -> None:
        """Join a group; its messages come once the owner's DWN was asked.

        Raises:
            InvalidArgument: it is another's.
        """
        known = self._people.group(group)
        if known is not None and known.owner != owner and known.stage != "waiting":
            raise InvalidArgument("That group is another's, who has not invited you with this.")
        await self._people.put_group(group, owner=owner, name=name, stage="waiting")
        self.follow()
        self.wake()

    async def leave(self, group: str) -> None:
        """Leave a group; its DWN is told once it can be reached."""
        known = self._people.group(group)
        if known is None or known.owner == self._web5.connected_did:
            raise InvalidArgument("Who began a group stays in it.")
        if known.stage not in ("left", "out"):
            await self._people.put_group(group, stage="leaving")
            self.follow()
            self.wake()

    async def members(self, group: str) -> list[str]:
        """Return the DIDs of the members, whoever began it first; as far as they are known."""
        known = self._people.group(group)
        if known is None:
            return []
        if known.owner == self._web5.connected_did:
            self._members[group] = list(await self._roles(group))
        return [known.owner, *(did for did in self._members.get(group, []) if did != known.owner)]

    def may_write(self, group: str) -> bool:
        """Return True while the person is a member."""
        known = self._people.group(group)
        return known is not None and known.stage == "joined"

    async def _roles(self, group: str) -> dict[str, TypedRecord[Member]]:
        found = {}
        async for role in self._web5.records(Member).query(parent=group):
            if role.record.recipient is not None:
                found[role.record.recipient] = role
        return found

    def _own(self, group: str) -> None:
        known = self._people.group(group)
        if known is None or known.owner != self._web5.connected_did:
            raise InvalidArgument("Only who began a group adds and removes people.")

    # -- a group in somebody else's DWN

    async def _follow(self, group: str) -> None:
        try:
            while (known := self._people.group(group)) is not None and known.stage != "left":
                visited = self._visited
                try:
                    if known.stage == "leaving":
                        await self._resign(known)
                        continue
                    await self._catch_up(known)
                    if self._web5.sync.interval == "live":
                        await self._hear(known)
                except Unauthorized:
                    if known.stage == "joined":
                        await self._people.put_group(group, stage="out")
                        self._changed()
                    if known.stage != "waiting":
                        return
                except Web5Error:
                    pass  # it cannot be reached now
                with suppress(TimeoutError):
                    await asyncio.wait_for(visited.wait(), PAUSE)
        finally:
            self._followed.discard(group)

    async def _catch_up(self, known: Membership) -> None:
        """Copy what is new."""
        await self._copy_group(known)
        self._members[known.group] = [
            did
            for did in [one.record.recipient async for one in self._there(known).query(parent=known.group)]
            if did is not None
        ][:MOST_MEMBERS]
        new: list[Record] = []
        cursor = None
        while True:
            page = await self._web5.dwn.records.query(
                **_messages_of(known), date_sort="createdDescending", limit=PAGE, cursor=cursor
            )
            fresh = [record for record in page if self._letters.get(record.id) is None]
            new += fresh
            if (cursor := page.cursor) is None or not fresh:
                break
        for record in reversed(new):
            await self._copy(record, known.group)
        self._changed()

    async def _hear(self, known: Membership) -> None:
        """Copy what comes, until the DWN says no more, or the person leaves."""
        events = self._web5.dwn.records.subscribe(**_messages_of(known))
        async with events:
            await self._catch_up(known)
            leaving = asyncio.ensure_future(self._until_leaving(known.group, events))
            try:
                async for record in events:
                    if not record.deleted and self._letters.get(record.id) is None:
                        await self._copy(record, known.group)
                        if record.author not in self._members[known.group]:
                            await self._catch_up(known)
            finally:
                leaving.cancel()

    async def _until_leaving(self, group: str, events: RecordSubscription[Record]) -> None:
        while (known := self._people.group(group)) is not None and known.stage in ("joined", "waiting"):
            await self._visited.wait()
        await events.close()

    async def _copy_group(self, known: Membership) -> None:
        with suppress(NotFound):
            await self._web5.dwn.records.read(known.group)
            if known.stage == "joined":
                return
        record = await self._web5.dwn.records.read(known.group, from_=known.owner, protocol_role=ROLE)
        if (record.protocol, record.protocol_path, record.author) != (messaging.uri, "group", known.owner):
            raise NotFound("", "That is no group.")
        with suppress(Conflict):
            await record.import_()
        group = await self._web5.records(Group).read(known.group)
        name = group.value.name if group.is_valid else known.name
        await self._people.put_group(known.group, name=name, stage="joined")

    async def _copy(self, record: Record, group: str) -> None:
        context = (record.context_id or "").partition("/")[0]
        if context != group or record.protocol_path != GROUP_MESSAGE or (record.data_size or 0) > MOST_BYTES:
            return
        with suppress(Conflict):
            await record.import_()
        self._letters.take(record)

    async def _resign(self, known: Membership) -> None:
        try:
            async for role in self._there(known).query(parent=known.group):
                if role.record.recipient == self._web5.connected_did:
                    # Not by the role itself, which lets nobody delete anything.
                    await self._web5.dwn.records.delete(role.id, from_=known.owner, protocol=messaging.uri)
        except (Unauthorized, NotFound):
            pass  # it has ended
        await self._people.put_group(known.group, stage="left")
        self._changed()

    def _there(self, known: Membership) -> TypedRecords[Member]:
        return self._web5.records(Member, from_=known.owner, role=Member)


def group_of(thread: str) -> str | None:
    """Return the ID of the group whose conversation has this name; None if it is one with a person."""
    return thread.removeprefix(GROUP) if thread.startswith(GROUP) else None


class _Messages(TypedDict):
    """The records that are a group's messages."""

    from_: str
    protocol: str
    protocol_path: str
    context_id: str
    protocol_role: str


def _messages_of(known: Membership) -> _Messages:
    return {
        "from_": known.owner,
        "protocol": messaging.uri,
        "protocol_path": GROUP_MESSAGE,
        "context_id": known.group,
        "protocol_role": ROLE,
    }
