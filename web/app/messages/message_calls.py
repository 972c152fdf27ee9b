"""The calls of the page about conversations."""

from __future__ import annotations

from typing import Any

from app.changes import Lists
from app.messages.address import code_of
from app.messages.protocol import Standing
from app.session import Session

SHARED = frozenset(
    {
        "add_member",
        "address_code",
        "conversation",
        "conversations",
        "join_group",
        "judge_person",
        "leave_group",
        "make_group",
        "read_conversation",
        "read_message_file",
        "remove_member",
        "rename_person",
        "retry_conversation",
        "send_message",
        "tell_person",
        "turn_on_messages",
    }
)
"""Those of `app.service.SHARED`."""

OWN = frozenset({"send_file", "stop_message_file"})
"""The others of `app.service.METHODS`: the page lends its file to the worker of its own tab."""


class MessageCalls:
    """A part of the service, for conversations. In each, `did` may be the name of a group's conversation, too.

    Parameters:
        session: who is in use.
    """

    _session: Session
    _threads: Lists

    async def turn_on_messages(self) -> None:
        """Let others write to the identity in use."""
        await self._session.messages.turn_on()

    async def conversations(self, limit: int, since: str | None = None) -> dict[str, Any]:
        """Return the conversations of the identity in use, and the requests of strangers apart.

        Parameters:
            since: the token of the answer before, or "": then `people` is only what has changed, as `Lists.since`.
        """
        found = await self._session.messages.conversations(limit)
        if since is not None:
            people = [{**person, "id": person["did"]} for person in found["people"]]
            found["people"] = self._threads.since(since, people)
        return found

    async def conversation(self, did: str, limit: int) -> dict[str, Any]:
        """Return the newest messages between the identity in use and somebody."""
        return await self._session.messages.conversation(did, limit)

    async def send_message(self, did: str, text: str, key: str) -> dict[str, Any]:
        """Write to somebody; `key` tells a new message from a call that is repeated."""
        return await self._session.messages.send(did, text, key)

    async def send_file(self, key: str, did: str, called: str, media_type: str) -> dict[str, Any] | None:
        """Send somebody the file that the page has lent by this key; None if it was stopped."""
        return await self._session.messages.send_file(did, key, called, media_type)

    async def stop_message_file(self, key: str) -> None:
        """Send a file not, after all."""
        self._session.messages.stop_file(key)

    async def read_message_file(self, id: str, key: str, at: int) -> dict[str, Any]:
        """Return the part of a message's file that begins at a byte."""
        return await self._session.messages.read_file(id, key, at)

    async def judge_person(self, did: str, standing: Standing) -> None:
        """Accept or block somebody."""
        await self._session.messages.judge(did, standing)

    async def rename_person(self, did: str, called: str) -> None:
        """Give somebody a name that only this person sees."""
        await self._session.messages.rename(did, called)

    async def tell_person(self, did: str, tells: bool) -> None:
        """Tell somebody from now on how far the person has read, or do not."""
        await self._session.messages.tell(did, tells)

    async def read_conversation(self, did: str) -> None:
        """Note that everything of a conversation was read."""
        await self._session.messages.read(did)

    async def retry_conversation(self, did: str) -> None:
        """Send again what did not get through to somebody."""
        await self._session.messages.retry(did)

    async def make_group(self, called: str, key: str) -> str:
        """Begin a group; return the name of its conversation. `key` tells a new one from a call that is repeated."""
        return await self._session.messages.make_group(called, key)

    async def address_code(self, link: str) -> str:
        """Return a picture of a QR code that has the link to one's own address, as a data: URL."""
        return code_of(link)

    async def add_member(self, did: str, member: str) -> None:
        """Let somebody read and write in a group, and invite them."""
        await self._session.messages.add_member(did, member)

    async def remove_member(self, did: str, member: str) -> None:
        """Let somebody read and write no more in a group."""
        await self._session.messages.remove_member(did, member)

    async def join_group(self, message: str) -> str:
        """Join the group to which a message invites; return the name of its conversation."""
        return await self._session.messages.join_group(message)

    async def leave_group(self, did: str) -> None:
        """Leave a group."""
        await self._session.messages.leave_group(did)
