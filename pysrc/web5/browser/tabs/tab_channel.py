"""The channel between tabs. Every page of the origin hears it and can post to it, so what comes is bounded and checked.

Plain messages name a tab at most; what tabs have to say to one another is sealed by their keys.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import js
from pyodide.ffi import create_proxy

from web5.browser.tabs.tab_keys import NAME, TabKey
from web5.errors import CryptoError, InvalidArgument
from web5.strict_json import parse
from web5.tasks import TaskSet

MAX_MESSAGE = 64 * 1024 * 1024
"""Characters of a message: the longest text of a note, sealed, and more."""

_MEMBERS = {
    "leading": (),
    "hand over": ("from", "to", "version"),
    "call": ("from", "to", "sealed"),
    "cancel": ("from", "to", "sealed"),
    "reply": ("from", "to", "sealed"),
}
"""The kinds of messages, and what each has."""

VERSION = re.compile(r"[0-9]{1,15}")

_FORMS = {"from": NAME, "to": NAME, "version": VERSION}

Received = Callable[[str, str, str, Any], None]


class TabChannel:
    """This tab's end of the channel.

    Parameters:
        received: is called with each message: its kind, who it is from and for, and what was sealed for this tab, or
            the version of who sent it.
        version: of this tab's program.

    Attributes:
        me: this tab's name, once `opened` has returned.
    """

    def __init__(self, name: str, received: Received, version: int) -> None:
        self.me = ""
        self._version = str(version)
        self._received = received
        self._key = asyncio.ensure_future(self._make_key())
        self._opening = TaskSet("a message of another tab could not be received")
        self._on_message = create_proxy(self._arrived)
        self._js_channel = js.BroadcastChannel.new(name)
        self._js_channel.onmessage = self._on_message

    async def opened(self) -> None:
        """Return once this tab has a name."""
        await self._key

    def post(self, kind: str, receiver: str = "") -> None:
        """Post a message that anybody may read."""
        members = {"kind": kind, "from": self.me, "to": receiver, "version": self._version}
        self._post({member: members[member] for member in ("kind", *_MEMBERS[kind])})

    async def post_sealed(self, kind: str, receiver: str, content: Any) -> None:
        """Post a message that only one tab can read.

        Raises:
            InvalidArgument: it is too long.
            CryptoError: that is no tab's name.
        """
        key = await self._key
        sealed = await key.seal(kind, receiver, json.dumps(content))
        if len(sealed) + 1000 > MAX_MESSAGE:
            raise InvalidArgument("This is too long to go from tab to tab. Close the other tabs, and try again.")
        self._post({"kind": kind, "from": key.name, "to": receiver, "sealed": sealed})

    def close(self) -> None:
        """Hear and post nothing any more."""
        self._js_channel.onmessage = None
        self._js_channel.close()
        self._on_message.destroy()
        self._js_channel = None

    async def _make_key(self) -> TabKey:
        key = await TabKey.make()
        self.me = key.name
        return key

    def _post(self, message: dict[str, Any]) -> None:
        if self._js_channel is not None:
            self._js_channel.postMessage(json.dumps(message))

    def _arrived(self, js_event: Any) -> None:
        message = _checked(js_event.data)
        if message is None:
            return
        if "sealed" not in message:
            self._received(message["kind"], message.get("from", ""), message.get("to", ""), message.get("version"))
        elif message["to"] == self.me:
            self._opening.start(self._open(message))

    async def _open(self, message: dict[str, str]) -> None:
        kind, sender = message["kind"], message["from"]
        try:
            content = parse(await (await self._key).open(kind, sender, message["sealed"]))
        except (CryptoError, ValueError):
            return  # not sealed by that tab, for this one
        if self._js_channel is not None:
            self._received(kind, sender, self.me, content)


def _checked(data: Any) -> dict[str, str] | None:
    """Return the members of a message that are known, or None if it is none of ours."""
    if not isinstance(data, str) or len(data) > MAX_MESSAGE:
        return None
    try:
        message = parse(data)
    except ValueError:
        return None
    kind = message.get("kind") if isinstance(message, dict) else None
    if not isinstance(kind, str) or kind not in _MEMBERS:
        return None
    checked = {member: message.get(member) for member in ("kind", *_MEMBERS[kind])}
    if not all(isinstance(value, str) for value in checked.values()):
        return None
    return checked if all(_FORMS[name].fullmatch(checked[name]) for name in _FORMS if name in checked) else None
