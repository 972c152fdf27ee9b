"""Conversations with other people: records that the two can read, in both their DWNs.

Invariants:
1. What a stranger writes is a request, apart from the conversations, until the person accepts it, or writes to them.
2. What somebody who is blocked writes is in no answer, but for the number of people who are blocked.
3. Nothing that somebody else wrote is believed beyond its author: not its date, which is never after now, nor its size.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from web5 import Protocol, Record, TypedRecord, Web5, strict_json
from web5.errors import InvalidArgument, NotFound, Web5Error
from web5.sync import SyncEvent, Unsettled

LONGEST = 20_000
"""Characters of a message."""

PAGE = 200
"""Messages that are read at a time at the start."""

MOST = 50_000
"""Messages that are known at a time, the newest."""

MOST_STRANGERS = 100
"""Requests that are listed, those with the newest messages."""

EXCERPT = 120
"""Characters of the last message that a list of conversations has."""

_MOST_BYTES = 30_000 + 4 * LONGEST

messaging = Protocol("https://web5-py/protocols/messages")
people = Protocol("https://web5-py/protocols/people", published=False)

Standing = Literal["accepted", "blocked"]


@messaging.type("message", can={"anyone": "create"}, tags=("key",), encrypted=True)
class Message(BaseModel):
    """A message.

    Parameters:
        key: tells a new message from one that is sent again.
    """

    text: str = Field(max_length=LONGEST)
    key: str = Field(max_length=100)


@people.type("person", encrypted=True)
class Person(BaseModel):
    """Somebody whom the person knows, or wants to hear nothing of.

    Parameters:
        name: what the person calls them.
        seen: the date of the newest message that was read, in microseconds since 1970.
    """

    did: str = Field(max_length=2048)
    standing: Standing
    name: str = Field(default="", max_length=60)
    seen: int = 0


@dataclass
class _Letter:
    """A message as it is listed; its text is decrypted when it is first asked for.

    Parameters:
        failed: why it cannot be delivered.
        under_way: it is being sent, for the first time since the start.
        arrived: a node of the other person has taken it since the start; another one may still lack it.
    """

    record: Record
    peer: str
    mine: bool
    created: int
    text: str | None = None
    failed: str = ""
    under_way: bool = False
    arrived: bool = False

    @property
    def key(self) -> str:
        return str((self.record.tags or {}).get("key", ""))


class Messages:
    """The conversations of the identity in use.

    Parameters:
        changed: called when something is to be shown anew.
    """

    def __init__(self, web5: Web5, changed: Callable[[], None]) -> None:
        self._web5 = web5
        self._changed = changed
        self._letters: dict[str, _Letter] = {}
        self._people: dict[str, TypedRecord[Person]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loading: asyncio.Future[None] | None = None
        self._writing = asyncio.Lock()
        self._awaited = False
        web5.sync.listeners.append(self._heard)

    async def close(self) -> None:
        """Forget all of it."""
        with suppress(ValueError):
            self._web5.sync.listeners.remove(self._heard)
        if self._loading is not None:
            self._loading.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._letters.clear()
        self._people.clear()

    async def turn_on(self) -> None:
        """Let others write to this identity; what is on already stays so."""
        await self._web5.dwn.protocols.configure(messaging.to_definition())
        await self._load()
        self._changed()

    async def conversations(self) -> dict[str, Any]:
        """Return the conversations, those with the newest messages first, and the requests apart.

        Returns:
            `on`: False while nobody can write here; `people` and `requests`, each with did, name, last message and the
            number of those that are new; `blocked`: how many people are.
        """
        if not await self._is_on():
            return {"on": False, "people": [], "requests": [], "blocked": 0}
        await self._load()
        threads: dict[str, list[_Letter]] = {did: [] for did in self._people}
        for letter in self._sorted():
            threads.setdefault(letter.peer, []).append(letter)
        newest = sorted(threads.items(), key=lambda one: one[1][-1].created if one[1] else 0, reverse=True)
        standing = {did: self._standing(did) for did in threads}
        known = [await self._listed(did, letters) for did, letters in newest if standing[did] == "accepted"]
        strangers = [(did, letters) for did, letters in newest if standing[did] == "stranger"][:MOST_STRANGERS]
        blocked = sum(one == "blocked" for one in standing.values())
        requests = [await self._listed(did, letters) for did, letters in strangers]
        return {"on": True, "people": known, "requests": requests, "blocked": blocked}

    async def conversation(self, did: str, limit: int) -> dict[str, Any]:
        """Return the newest messages of a conversation, the oldest of them first; of somebody blocked, none.

        Parameters:
            did: whom it is with; there need not be one yet.
        """
        _check_did(did, self._web5.connected_did)
        found: list[_Letter] = []
        if await self._is_on():
            await self._load()
            found = [one for one in self._sorted() if one.peer == did]
        standing = self._standing(did)
        shown = [] if standing == "blocked" else found[-limit:]
        waiting = self._waiting([one.record.message_cid for one in shown if one.mine])
        self._awaited = bool(waiting)
        return {
            "did": did,
            "name": self._name(did),
            "standing": standing if found or did in self._people else "new",
            "messages": [await self._shown(one, waiting) for one in shown],
            "more": len(found) > limit and standing != "blocked",
        }

    async def send(self, did: str, text: str, key: str) -> dict[str, Any]:
        """Write to somebody, who is then no stranger; durable on return, and sent on in the background.

        Parameters:
            key: tells a new message from a call that is repeated.

        Raises:
            InvalidArgument: the text is empty or too long, or there is nobody of this DID.
            EncryptionError: nobody of this DID can be found, or nothing can be encrypted for them.
        """
        _check_did(did, self._web5.connected_did)
        if not text.strip() or len(text) > LONGEST:
            raise InvalidArgument(f"A message has 1 to {LONGEST:,} characters.")
        await self.turn_on()
        async with self._writing:
            for known in self._letters.values():
                if known.mine and known.key == key and known.peer == did:
                    return await self._shown(known, self._waiting([known.record.message_cid]))
            made = await self._web5.records(Message).create(Message(text=text, key=key), recipient=did)
            await self._put(did, standing="accepted")
            letter = self._take(made.record)
            assert letter is not None
            letter.text, letter.under_way = text, True
        self._start(self._deliver(letter))
        self._changed()
        return await self._shown(letter, self._waiting([made.record.message_cid]))

    async def judge(self, did: str, standing: Standing) -> None:
        """Accept or block somebody."""
        _check_did(did, self._web5.connected_did)
        await self.turn_on()
        async with self._writing:
            await self._put(did, standing=standing)
        self._changed()

    async def rename(self, did: str, name: str) -> None:
        """Give somebody a name of one's own; nobody else sees it."""
        _check_did(did, self._web5.connected_did)
        await self.turn_on()
        async with self._writing:
            await self._put(did, name=name.strip()[:60])
        self._changed()

    async def read(self, did: str) -> None:
        """Note that everything of a conversation was read."""
        if not await self._is_on():
            return
        await self._load()
        newest = max((one.created for one in self._letters.values() if one.peer == did and not one.mine), default=0)
        person = self._people.get(did)
        if person is not None and person.is_valid and person.value.seen < newest:
            async with self._writing:
                await self._put(did, seen=newest)
            self._changed()

    async def retry(self, did: str) -> None:
        """Send again what did not get through to somebody."""
        for letter in list(self._letters.values()):
            if letter.peer == did and letter.failed:
                self._start(self._deliver(letter))
        for entry in self._web5.sync.unsettled(target=did):
            await self._web5.sync.retry(message_cid=entry.message_cid)
        self._changed()

    # -- what is here

    async def _is_on(self) -> bool:
        return self._loading is not None or bool(await self._web5.dwn.protocols.query(messaging.uri))

    async def _load(self) -> None:
        if self._loading is None:
            self._loading = asyncio.ensure_future(self._load_all())
        try:
            await asyncio.shield(self._loading)
        except Exception:
            self._loading = None  # the next call tries again
            raise

    async def _load_all(self) -> None:
        letters = self._web5.dwn.records.subscribe(protocol=messaging.uri)
        await letters
        known = self._web5.dwn.records.subscribe(protocol=people.uri)
        await known
        try:
            cursor = None
            while len(self._letters) < MOST:
                page = await self._web5.dwn.records.query(
                    protocol=messaging.uri,
                    protocol_path="message",
                    date_sort="createdDescending",
                    limit=PAGE,
                    cursor=cursor,
                )
                for record in page:
                    self._take(record)
                if (cursor := page.cursor) is None:
                    break
            async for person in self._web5.records(Person).query():
                self._know(person)
        except BaseException:
            await letters.close()
            await known.close()
            raise
        self._start(self._follow_letters(letters))
        self._start(self._follow_people(known))
        # The page, or this browser, may have ended between a message's being stored and its being sent.
        for letter in {one.peer: one for one in self._sorted()}.values():
            if letter.mine and self._standing(letter.peer) == "accepted":
                self._start(self._deliver(letter))

    async def _follow_letters(self, events: Any) -> None:
        async with events:
            async for record in events:
                if record.deleted:
                    self._letters.pop(record.id, None)
                else:
                    self._take(record)
                self._changed()

    async def _follow_people(self, events: Any) -> None:
        async with events:
            async for record in events:
                if not record.deleted:
                    with suppress(NotFound):
                        self._know(await self._web5.records(Person).read(record.id))
                self._changed()

    def _take(self, record: Record) -> _Letter | None:
        """List a message, if it is one between this identity and another."""
        me = self._web5.connected_did
        mine = record.author == me
        peer = record.recipient if mine else record.author
        if record.protocol_path != "message" or not peer or peer == me or (not mine and record.recipient != me):
            return None
        letter = self._letters.get(record.id)
        if letter is None:
            created = min(_microseconds(record.date_created), time.time_ns() // 1000)
            letter = self._letters[record.id] = _Letter(record, peer, mine, created)
            if len(self._letters) > MOST:
                oldest = min(self._letters, key=lambda id: self._letters[id].created)
                del self._letters[oldest]
        elif letter.record.message_cid != record.message_cid:
            letter.record, letter.text = record, None
        return letter

    def _know(self, person: TypedRecord[Person]) -> None:
        """Of two records of the same person, which two devices made, the newer counts."""
        if not person.is_valid or person.author != self._web5.connected_did:
            return
        before = self._people.get(person.value.did)
        if before is None or before.record.date_modified <= person.record.date_modified:
            self._people[person.value.did] = person

    async def _put(self, did: str, **changes: Any) -> None:
        person = self._people.get(did)
        if person is None:
            made = Person(**{"did": did, "standing": "accepted", **changes})
            self._people[did] = await self._web5.records(Person).create(made)
        elif any(getattr(person.value, name) != value for name, value in changes.items()):
            # Meanwhile an event may have brought the state before, from which the next change must not begin.
            self._people[did] = await person.update(**changes)

    def _sorted(self) -> list[_Letter]:
        return sorted(self._letters.values(), key=lambda one: (one.created, one.record.id))

    def _standing(self, did: str) -> str:
        person = self._people.get(did)
        return person.value.standing if person is not None else "stranger"

    def _name(self, did: str) -> str:
        person = self._people.get(did)
        return person.value.name if person is not None else ""

    # -- what is shown

    async def _listed(self, did: str, letters: list[_Letter]) -> dict[str, Any]:
        person = self._people.get(did)
        seen = person.value.seen if person is not None else 0
        last = letters[-1] if letters else None
        return {
            "did": did,
            "name": self._name(did),
            "text": "" if last is None else (await self._text(last))[:EXCERPT],
            "mine": last is not None and last.mine,
            "created": None if last is None else last.created // 1000,
            "new": sum(not one.mine and one.created > seen for one in letters),
        }

    async def _shown(self, letter: _Letter, waiting: dict[str, list[Unsettled]]) -> dict[str, Any]:
        text = await self._text(letter)
        state, why = self._delivery(letter, waiting.get(letter.record.message_cid, []))
        return {
            "id": letter.record.id,
            "key": letter.key if letter.mine else "",
            "mine": letter.mine,
            "text": text,
            "created": letter.created // 1000,
            "state": state,
            "why": why,
        }

    def _delivery(self, letter: _Letter, waiting: list[Unsettled]) -> tuple[str, str]:
        """Return where a message is: "here", on "mine", on "theirs", or "failed" with the reason; "" if it came."""
        if not letter.mine:
            return "", ""
        if letter.failed:
            return "failed", letter.failed
        to_them = [one for one in waiting if one.target is not None]
        if letter.arrived or not (to_them or letter.under_way):
            return "theirs", ""
        refused = [one for one in to_them if one.state in ("refused", "blocked")]
        if refused:
            return "failed", refused[0].detail
        own = [one for one in self._web5.sync.status() if one.endpoint and one.tenant == letter.record.owner]
        lacking = {one.endpoint for one in waiting if one.target is None and one.direction == "push"}
        reason = to_them[0].detail if to_them else ""
        return ("mine" if len(own) > len(lacking) else "here"), reason

    def _waiting(self, cids: list[str]) -> dict[str, list[Unsettled]]:
        found: dict[str, list[Unsettled]] = {}
        if cids:
            for entry in self._web5.sync.unsettled(message_cids=cids, limit=None):
                found.setdefault(entry.message_cid, []).append(entry)
        return found

    async def _text(self, letter: _Letter) -> str:
        if letter.text is None:
            letter.text = await _opened(letter.record)
        return letter.text

    # -- on the way

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something in the background."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, letter: _Letter) -> None:
        letter.under_way = True
        try:
            report = await letter.record.send(letter.peer)
            letter.arrived, letter.failed = bool(report.delivered), ""
        except Web5Error as error:
            letter.failed = str(error)
        finally:
            letter.under_way = False
        self._changed()

    def _heard(self, event: SyncEvent) -> None:
        if event.kind in ("delivered", "undelivered", "withdrawn") or (event.kind == "endpoint" and self._awaited):
            self._changed()


async def _opened(record: Record) -> str:
    """Return the text of a message; of one that is none, or cannot be decrypted here, an empty one."""
    if (record.data_size or 0) > _MOST_BYTES:
        return ""
    try:
        return Message.model_validate(strict_json.parse(await record.data.text())).text
    except (Web5Error, ValidationError, ValueError):
        return ""


def _microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def _check_did(did: str, me: str) -> None:
    if did == me:
        raise InvalidArgument("That is your own address. Notes to yourself are in Notes.")
    if not did.startswith("did:") or len(did) > 2048 or any(one.isspace() for one in did):
        raise InvalidArgument("That is not an address: it begins with did: and has no spaces.")
