"""The records of conversations as they are in the own DWN, read once, and followed from then on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from heapq import nlargest
from typing import Any

from app.messages.delivery import Delivery
from app.messages.groups import Groups
from app.messages.letters import MOST, Letter, Letters
from app.messages.people import People
from app.messages.protocol import GROUP_MESSAGE, MESSAGE, messaging, people
from app.messages.receipts import Receipts
from web5 import Web5
from web5.errors import NotFound
from web5.tasks import TaskSet

PAGE = 200
"""Messages that are read at a time at the start."""

SENT_AGAIN = 20
"""Conversations whose last message is sent again at the start, if it is one's own: those with the newest ones."""

SENT_AT_A_TIME = 4


class Mailbox:
    """All that conversations are made of, of the identity in use.

    Parameters:
        tasks: what runs in the background.
        changed: called when something is to be shown anew.
    """

    def __init__(self, web5: Web5, tasks: TaskSet, changed: Callable[[], None]) -> None:
        self._web5 = web5
        self._tasks = tasks
        self._changed = changed
        self._loading: asyncio.Future[None] | None = None
        self.letters = Letters(web5.connected_did)
        self.people = People(web5)
        self.receipts = Receipts(web5)
        self.delivery = Delivery(web5, self.people, changed)
        self.groups = Groups(web5, self.people, self.letters, tasks, changed)

    async def close(self) -> None:
        """Forget all of it."""
        if self._loading is not None:
            self._loading.cancel()
        await self._tasks.cancel()
        self.letters.clear()
        self.people.clear()
        self.receipts.clear()

    async def is_on(self) -> bool:
        """Return True if others may write here."""
        return self._loading is not None or bool(await self._web5.dwn.protocols.query(messaging.uri))

    async def load(self) -> None:
        """Read what is here, once, and hear of what comes from then on."""
        if self._loading is None:
            self._loading = asyncio.ensure_future(self._load_all())
        try:
            await asyncio.shield(self._loading)
        except Exception:
            self._loading = None  # the next call tries again
            raise

    async def _load_all(self) -> None:
        await self._web5.dwn.protocols.configure(messaging.to_definition())  # an older version may have turned it on
        letters = await self._web5.dwn.records.subscribe(protocol=messaging.uri)
        known = await self._web5.dwn.records.subscribe(protocol=people.uri)
        try:
            for path in (MESSAGE, GROUP_MESSAGE):
                await self._load_letters(path)
            await self.people.load()
            await self.receipts.load()
        except BaseException:
            await letters.close()
            await known.close()
            raise
        self._tasks.start(self._follow_letters(letters))
        self._tasks.start(self._follow_people(known))
        self.groups.follow()
        self._send_again()

    def _send_again(self) -> None:
        """Send the newest messages, of which the last ones may not have been sent when this browser or the page ended.

        Only what was written last before that may be so. Who has it says so.
        """
        last = [self.letters.of(thread)[-1] for thread in self.letters.threads()]
        own = [one for one in last if one.mine and self.people.standing(one.thread) == "accepted"]
        at_a_time = asyncio.Semaphore(SENT_AT_A_TIME)

        async def send(letter: Letter) -> None:
            async with at_a_time:
                await self.delivery.deliver(letter)

        for letter in nlargest(SENT_AGAIN, own, key=lambda one: one.order):
            letter.under_way = self.delivery.target(letter) is not None
            self._tasks.start(send(letter))

    async def _load_letters(self, path: str) -> None:
        cursor = None
        while len(self.letters) < MOST:
            page = await self._web5.dwn.records.query(
                protocol=messaging.uri,
                protocol_path=path,
                date_sort="createdDescending",
                limit=PAGE,
                cursor=cursor,
            )
            for record in page:
                self.letters.take(record)
            if (cursor := page.cursor) is None:
                return

    async def _follow_letters(self, events: Any) -> None:
        async with events:
            async for record in events:
                if record.deleted:
                    self.letters.drop(record.id)
                elif record.protocol_path == "read":
                    with suppress(NotFound):
                        await self.receipts.read(record.id)
                else:
                    self.letters.take(record)
                self._changed()

    async def _follow_people(self, events: Any) -> None:
        async with events:
            async for record in events:
                if not record.deleted:
                    with suppress(NotFound):
                        await self.people.read(record.protocol_path or "", record.id)
                    self.groups.follow()
                self._changed()
