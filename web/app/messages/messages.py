"""The conversations of an identity: what is said in them, by whom it may be, and how it gets to the others.

Invariants:
1. What a stranger writes is a request, apart from the conversations, until the person accepts it, or writes to them.
2. What somebody who is blocked writes is in no answer, but for the number of people who are blocked.
3. Nothing that somebody else wrote is believed beyond its author: not its date, which is never after now, nor its size.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from app.messages.attachments import Attachments
from app.messages.groups import group_of
from app.messages.letters import GROUP, Letter
from app.messages.mailbox import Mailbox
from app.messages.protocol import (
    LONGEST,
    LONGEST_NAME,
    GroupMessage,
    Invitation,
    Member,
    Message,
    Standing,
    messaging,
)
from app.messages.views import Views
from app.transfers import OnProgress
from web5 import Web5
from web5.errors import InvalidArgument, Web5Error
from web5.sync import SyncEvent
from web5.tasks import TaskSet


class Messages:
    """The conversations of the identity in use.

    Parameters:
        changed: called when something is to be shown anew.
        on_progress: told how far a file has come that is being added.
    """

    def __init__(self, web5: Web5, changed: Callable[[], None], on_progress: OnProgress = lambda *_: None) -> None:
        self._web5 = web5
        self._changed = changed
        self._tasks = TaskSet("a conversation could not go on")
        self._mailbox = Mailbox(web5, self._tasks, changed)
        self._letters, self._people = self._mailbox.letters, self._mailbox.people
        self._receipts, self._delivery = self._mailbox.receipts, self._mailbox.delivery
        self._groups = self._mailbox.groups
        self._attachments = Attachments(web5, self._people, on_progress)
        self._views = Views(self._letters, self._people, self._delivery, self._receipts, self._groups)
        self._writing = asyncio.Lock()
        web5.sync.listeners.append(self._heard)

    async def close(self) -> None:
        """Forget all of it."""
        with suppress(ValueError):
            self._web5.sync.listeners.remove(self._heard)
        await self._attachments.close()
        await self._mailbox.close()

    async def turn_on(self) -> None:
        """Let others write to this identity; what is on already stays so."""
        await self._web5.dwn.protocols.configure(messaging.to_definition())
        await self._mailbox.load()
        self._changed()

    async def conversations(self, limit: int) -> dict[str, Any]:
        """Return the conversations, those with the newest messages first, and the requests apart.

        Returns:
            `on`: False while nobody can write here; `people` and `requests`, each with did, name, last message and the
            number of those that are new; `more`: there are more conversations; `new`: the messages that are, in all of
            them; `blocked`: how many people are.
        """
        if not await self._mailbox.is_on():
            return {"on": False, "people": [], "more": False, "new": 0, "requests": [], "blocked": 0}
        await self._mailbox.load()
        return await self._views.conversations(limit)

    async def conversation(self, did: str, limit: int) -> dict[str, Any]:
        """Return the newest messages of a conversation, the oldest of them first; of somebody blocked, none.

        Parameters:
            did: whom it is with, there need not be one yet; or the name of a group's.
        """
        self._check(did)
        if await self._mailbox.is_on():
            await self._mailbox.load()
        return await self._views.conversation(did, limit)

    async def send(self, did: str, text: str, key: str) -> dict[str, Any]:
        """Write to somebody, who is then no stranger; durable on return, and sent on in the background.

        Parameters:
            did: theirs, or the name of a group's conversation.
            key: tells a new message from a call that is repeated.

        Raises:
            InvalidArgument: the text is empty or too long, or there is nobody of this DID.
            EncryptionError: nobody of this DID can be found, or nothing can be encrypted for them.
        """
        self._check(did)
        if not text.strip() or len(text) > LONGEST:
            raise InvalidArgument(f"A message has 1 to {LONGEST:,} characters.")
        return await self._send(did, Message(text=text, key=key))

    async def send_file(self, did: str, key: str, name: str, media_type: str) -> dict[str, Any] | None:
        """Send the file that the page has lent by this key, as `send`; None if it was stopped."""
        self._check(did)
        await self.turn_on()
        self._check_group(did)
        if (known := self._letters.by_key(did, key)) is not None:
            return (await self._views.shown([known]))[0]
        file = await self._attachments.add(did, key, name, media_type)
        if file is None:
            return None
        try:
            return await self._send(did, Message(text="", key=key, file=file))
        except BaseException:
            await self._attachments.forget(did, key)
            raise

    def stop_file(self, key: str) -> None:
        """Send this file not; one that is sent already stays."""
        self._attachments.stop(key)

    async def read_file(self, id: str, key: str, at: int) -> dict[str, Any]:
        """Return a part of the file that a message brings. As `Attachments.read`."""
        await self._mailbox.load()
        return await self._attachments.read(self._letters.get(id), key, at)

    async def judge(self, did: str, standing: Standing) -> None:
        """Accept or block somebody."""
        await self._put(did, standing=standing)

    async def rename(self, did: str, name: str) -> None:
        """Give somebody a name of one's own; nobody else sees it."""
        await self._put(did, name=name.strip()[:LONGEST_NAME])

    async def tell(self, did: str, tells: bool) -> None:
        """Tell somebody from now on what was read, or do not."""
        await self._put(did, tells=tells)
        if tells:
            await self._tell_read(did)

    async def read(self, did: str) -> None:
        """Note that everything of a conversation was read."""
        if not await self._mailbox.is_on():
            return
        await self._mailbox.load()
        if self._people.standing(did) != "accepted":
            return
        theirs = next((one for one in reversed(self._letters.of(did)) if not one.mine), None)
        if theirs is not None and self._people.seen(did) < theirs.created:
            async with self._writing:
                await self._people.note_seen(did, theirs.created)
            self._changed()
            await self._tell_read(did)

    async def retry(self, did: str) -> None:
        """Send again what did not get through to somebody."""
        self._check(did)
        for letter in self._letters.of(did):
            if letter.failed:
                self._tasks.start(self._delivery.deliver(letter))
        known = self._people.group(did.removeprefix(GROUP))
        for entry in self._web5.sync.unsettled(target=did if known is None else known.owner):
            await self._web5.sync.retry(message_cid=entry.message_cid)
        self._changed()

    # -- groups

    async def make_group(self, name: str, key: str) -> str:
        """Begin a group; return the name of its conversation."""
        await self.turn_on()
        async with self._writing:
            group = await self._groups.make(name, key)
        self._changed()
        return GROUP + group

    async def add_member(self, thread: str, did: str) -> None:
        """Let somebody read and write in a group, and invite them."""
        self._check(did)
        group = group_of(thread)
        if group is None or group_of(did) is not None:
            raise InvalidArgument("People are added to groups.")
        await self._mailbox.load()
        async with self._writing:
            role = await self._groups.add(group, did)
        invitation = Invitation(group=group, name=self._people.name(thread))
        await self._send(did, Message(text="", key=f"invited {role.id}"[:100], invitation=invitation))

    async def remove_member(self, thread: str, did: str) -> None:
        """Let somebody read and write no more in a group; one who is no member is no error."""
        await self._mailbox.load()
        await self._groups.remove(group_of(thread) or "", did)
        self._changed()

    async def join_group(self, message: str) -> str:
        """Join the group to which a message invites; return the name of its conversation.

        Raises:
            InvalidArgument: the message does not, or a stranger wrote it.
        """
        await self._mailbox.load()
        letter = self._letters.get(message)
        body = None if letter is None else await letter.open()
        if letter is None or letter.mine or body is None or body.invitation is None or group_of(letter.thread):
            raise InvalidArgument("That message invites nobody.")
        if self._people.standing(letter.author) != "accepted":
            raise InvalidArgument("Accept them first: a stranger wrote this.")
        async with self._writing:
            await self._groups.join(body.invitation.group, letter.author, body.invitation.name)
        self._changed()
        return GROUP + body.invitation.group

    async def leave_group(self, thread: str) -> None:
        """Leave a group."""
        await self._mailbox.load()
        async with self._writing:
            await self._groups.leave(group_of(thread) or "")
        self._changed()

    def _check(self, did: str) -> None:
        if did == self._web5.connected_did:
            raise InvalidArgument("That is your own address. Notes to yourself are in Notes.")
        begins = did.startswith(("did:", GROUP))
        if not begins or len(did) > 2048 or any(one.isspace() for one in did):
            raise InvalidArgument("That is not an address: it begins with did: and has no spaces.")

    def _check_group(self, thread: str) -> None:
        group = group_of(thread)
        if group is not None and not self._groups.may_write(group):
            raise InvalidArgument("You are not in this group.")

    # -- what is written

    async def _send(self, did: str, message: Message) -> dict[str, Any]:
        if await self._mailbox.is_on():
            await self._mailbox.load()
        else:
            await self.turn_on()
        self._check_group(did)
        async with self._writing:
            letter = self._letters.by_key(did, message.key)
            if letter is None:
                self._letters.writing = message.key
                try:
                    letter = await self._write(did, message)
                finally:
                    self._letters.writing = ""
                self._tasks.start(self._delivery.deliver(letter))
        self._changed()
        return (await self._views.shown([letter]))[0]

    async def _write(self, did: str, message: Message) -> Letter:
        group = group_of(did)
        if group is None:
            record = (await self._web5.records(Message).create(message, recipient=did)).record
            await self._people.put(did, standing="accepted")
        else:
            known = self._people.group(group)
            role = None if known is None or known.owner == self._web5.connected_did else Member
            said = GroupMessage(**message.model_dump())
            record = (await self._web5.records(GroupMessage, role=role).create(said, parent=group)).record
        letter = self._letters.take(record)
        assert letter is not None
        letter.body, letter.opened, letter.under_way = message, True, self._delivery.target(letter) is not None
        return letter

    async def _put(self, did: str, **changes: Any) -> None:
        self._check(did)
        if group_of(did) is not None:
            raise InvalidArgument("That is a group, not a person.")
        await self.turn_on()
        async with self._writing:
            await self._people.put(did, **changes)
        self._changed()

    async def _tell_read(self, did: str) -> None:
        person = self._people.person(did)
        theirs = next((one for one in reversed(self._letters.of(did)) if not one.mine), None)
        if person is None or not person.tells or person.standing != "accepted" or theirs is None:
            return
        if theirs.created > person.seen:
            return
        receipt = await self._receipts.tell(did, theirs)
        if receipt is not None:
            self._tasks.start(self._send_receipt(receipt, did))

    async def _send_receipt(self, receipt: Any, did: str) -> None:
        with suppress(Web5Error):  # it is told with the next one
            await receipt.send(did)

    def _heard(self, event: SyncEvent) -> None:
        if event.kind == "endpoint":
            self._groups.wake()
        if event.kind in ("delivered", "undelivered", "withdrawn") or (
            event.kind == "endpoint" and self._views.awaited
        ):
            self._changed()
