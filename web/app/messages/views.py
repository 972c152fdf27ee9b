"""Conversations in the shape the page shows. Times are milliseconds since 1970."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from app.messages.delivery import Delivery, Waiting
from app.messages.groups import Groups, group_of
from app.messages.letters import Letter, Letters
from app.messages.people import People
from app.messages.receipts import Receipts

EXCERPT = 120
"""Characters of the last message that a list of conversations has."""

AT_A_TIME = 100
"""Conversations that are looked at before something else is done."""

MOST_STRANGERS = 100
"""Requests that are listed, those with the newest messages."""

MOST_NEW = 1_000
"""New messages of a conversation that are counted."""


class Views:
    """Lists of conversations, and what is in one."""

    def __init__(
        self, letters: Letters, people: People, delivery: Delivery, receipts: Receipts, groups: Groups
    ) -> None:
        self._letters = letters
        self._people = people
        self._delivery = delivery
        self._receipts = receipts
        self._groups = groups
        self.awaited = False
        """True while a message that was shown last is on its way."""

    async def conversations(self, limit: int) -> dict[str, Any]:
        """Return the newest conversations, and the requests apart. As `Messages.conversations`."""
        of_standing: dict[str, list[str]] = {"accepted": [], "blocked": [], "stranger": []}
        for thread in dict.fromkeys([*self._people.threads(), *self._letters.threads()]):
            of_standing[self._people.standing(thread)].append(thread)
        known = sorted(of_standing["accepted"], key=self._newest, reverse=True)
        strangers = sorted(of_standing["stranger"], key=self._newest, reverse=True)[:MOST_STRANGERS]
        return {
            "on": True,
            "people": await self._all_listed(known[:limit]),
            "more": len(known) > limit,
            "new": sum(self._new(thread) for thread in known),
            "requests": await self._all_listed(strangers),
            "blocked": len(of_standing["blocked"]),
        }

    async def conversation(self, thread: str, limit: int) -> dict[str, Any]:
        """Return a conversation. As `Messages.conversation`."""
        standing = self._people.standing(thread)
        found = [one for one in self._letters.of(thread) if self._is_heard(one)]
        shown = [] if standing == "blocked" else found[-limit:]
        is_new = not found and standing == "stranger"
        person = self._people.person(thread)
        waiting = await self._delivery.waiting(shown)
        self.awaited = bool(waiting)
        return {
            **self._who(thread),
            "standing": "new" if is_new else standing,
            "tells": person is not None and person.tells,
            "messages": await self.shown(shown, waiting),
            "more": len(found) > limit and standing != "blocked",
            "group": await self._group(thread),
        }

    async def shown(self, letters: Sequence[Letter], waiting: Waiting | None = None) -> list[dict[str, Any]]:
        """Return messages of one conversation."""
        if not letters:
            return []
        if waiting is None:
            waiting = await self._delivery.waiting(letters)
        read = self._receipts.read_by(letters[0].thread, self._letters)
        return [await self._shown(one, waiting, read) for one in letters]

    async def _shown(self, letter: Letter, waiting: Waiting, read: tuple[int, str] | None) -> dict[str, Any]:
        body = await letter.open()
        state, why = self._delivery.state(letter, waiting, read=read is not None and letter.order <= read)
        file = None if body is None or body.file is None else body.file.model_dump(include={"name", "type", "size"})
        return {
            "id": letter.id,
            "key": letter.key if letter.mine else "",
            "mine": letter.mine,
            "from": self._who(letter.author) if group_of(letter.thread) and not letter.mine else None,
            "text": "" if body is None else body.text,
            "file": file,
            "invitation": None if body is None or body.invitation is None else self._invited(letter),
            "created": letter.created // 1000,
            "state": state,
            "why": why,
        }

    def _invited(self, letter: Letter) -> dict[str, Any]:
        assert letter.body is not None and letter.body.invitation is not None
        invitation = letter.body.invitation
        known = self._people.group(invitation.group)
        stage = "open" if known is None else known.stage
        return {"group": invitation.group, "name": invitation.name, "stage": stage}

    async def _all_listed(self, threads: Sequence[str]) -> list[dict[str, Any]]:
        found = []
        for number, thread in enumerate(threads):
            if number % AT_A_TIME == AT_A_TIME - 1:
                await asyncio.sleep(0)  # other calls are answered in between
            found.append(await self._listed(thread))
        return found

    async def _listed(self, thread: str) -> dict[str, Any]:
        last = next((one for one in reversed(self._letters.of(thread)) if self._is_heard(one)), None)
        body = None if last is None else await last.open()
        return {
            **self._who(thread),
            "text": "" if body is None else body.text[:EXCERPT],
            "file": "" if body is None or body.file is None else body.file.name,
            "invited": "" if body is None or body.invitation is None else body.invitation.name,
            "mine": last is not None and last.mine,
            "from": self._who(last.author) if last is not None and group_of(thread) and not last.mine else None,
            "created": None if last is None else last.created // 1000,
            "new": self._new(thread),
        }

    async def _group(self, thread: str) -> dict[str, Any] | None:
        group = group_of(thread)
        known = None if group is None else self._people.group(group)
        if group is None or known is None:
            return None
        members = [self._who(did) for did in await self._groups.members(group)]
        return {"owner": known.owner, "stage": known.stage, "members": members}

    def _who(self, thread: str) -> dict[str, Any]:
        return {"did": thread, "name": self._people.name(thread)}

    def _is_heard(self, letter: Letter) -> bool:
        return letter.mine or self._people.standing(letter.author) != "blocked"

    def _newest(self, thread: str) -> int:
        letters = self._letters.of(thread)
        return letters[-1].created if letters else 0

    def _new(self, thread: str) -> int:
        seen, count = self._people.seen(thread), 0
        for letter in reversed(self._letters.of(thread)):
            if letter.created <= seen or count >= MOST_NEW:
                break
            count += not letter.mine and self._is_heard(letter)
        return count
