"""The way of one's own messages to the others, and where each of them is."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from app.messages.letters import GROUP, Letter
from app.messages.people import People
from web5 import Web5
from web5.errors import NotFound, Web5Error
from web5.sync import Unsettled

Waiting = dict[str, list[Unsettled]]
"""What is still to be sent of a message, by its CID."""


class Delivery:
    """Sends messages.

    Parameters:
        changed: called when one is somewhere else than before.
    """

    def __init__(self, web5: Web5, people: People, changed: Callable[[], None]) -> None:
        self._web5 = web5
        self._people = people
        self._changed = changed

    def target(self, letter: Letter) -> str | None:
        """Return to whose nodes a message goes; None if only to one's own, where the others of the group read it."""
        if not letter.thread.startswith(GROUP):
            return letter.thread
        group = self._people.group(letter.thread.removeprefix(GROUP))
        owner = None if group is None else group.owner
        return None if owner == self._web5.connected_did else owner

    async def deliver(self, letter: Letter) -> None:
        """Bring a message to the others, its file first; what cannot get through now, sync tries again."""
        if (target := self.target(letter)) is None:
            return
        letter.under_way = True
        try:
            body = await letter.open()
            if body is not None and body.file is not None:
                file = await self._web5.dwn.records.read(body.file.record)
                letter.file_cid = file.message_cid
                await file.send(target)
            report = await letter.record.send(target)
            letter.arrived, letter.failed = bool(report.delivered), ""
        except Web5Error as error:
            letter.failed = str(error)
        finally:
            letter.under_way = False
        self._changed()

    async def waiting(self, letters: Iterable[Letter]) -> Waiting:
        """Return what is still to be sent of one's own of these messages, that of their files with it."""
        cids: dict[str, str] = {}
        for letter in letters:
            if letter.mine:
                cids[letter.record.message_cid] = letter.record.message_cid
                if file := await self._file_cid(letter):
                    cids[file] = letter.record.message_cid
        found: Waiting = {}
        if cids:
            for entry in self._web5.sync.unsettled(message_cids=list(cids), limit=None):
                found.setdefault(cids[entry.message_cid], []).append(entry)
        return found

    def state(self, letter: Letter, waiting: Waiting, *, read: bool) -> tuple[str, str]:
        """Return where a message is, and why it is no further; ("", "") if it came from somebody else.

        Parameters:
            read: the other person has told that they have read it.

        Returns:
            "here", on "mine", on "theirs", "read", or "failed" with the reason; where a group reads it, "group".
        """
        if not letter.mine:
            return "", ""
        if letter.failed:
            return "failed", letter.failed
        entries = waiting.get(letter.record.message_cid, [])
        lacking = {one.endpoint for one in entries if one.target is None and one.direction == "push"}
        own = [one for one in self._web5.sync.status() if one.endpoint and one.tenant == letter.record.owner]
        here = "mine" if len(own) > len(lacking) else "here"
        in_group = letter.thread.startswith(GROUP)
        if self.target(letter) is None:
            return ("group" if here == "mine" else "here"), ""
        to_them = [one for one in entries if one.target is not None]
        if letter.arrived or not (to_them or letter.under_way):
            return ("group" if in_group else "read" if read else "theirs"), ""
        refused = [one for one in to_them if one.state in ("refused", "blocked")]
        if refused:
            return "failed", refused[0].detail
        return here, to_them[0].detail if to_them else ""

    async def _file_cid(self, letter: Letter) -> str | None:
        body = await letter.open()
        if letter.file_cid is None and body is not None and body.file is not None:
            try:
                letter.file_cid = (await self._web5.dwn.records.read(body.file.record)).message_cid
            except NotFound:
                letter.file_cid = ""
        return letter.file_cid or None
