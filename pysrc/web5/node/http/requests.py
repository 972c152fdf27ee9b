"""Requests by number: each has an ID, which its answer names, and so does every line of the log that it led to.

An operator finds by it what a person complains of, and what they sent is in neither. The line of a request itself is
written at level "info", without addresses of clients, DIDs, queries or anything that the path has of them.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from contextvars import ContextVar

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("web5.node.requests")

HEADER = "x-request-id"

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The ID of the request that is being answered; a WebSocket is one."""

_NAMES_NOBODY = re.compile(r"[A-Za-z0-9_.-]{1,24}")
"""A part of a path that is a word of the node's; what is longer, or has other characters, may name somebody."""


class NumberedRequests:
    """An app all of whose requests have IDs.

    Parameters:
        app: answers them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        number, began, status, size = secrets.token_hex(8), time.perf_counter(), 0, 0

        async def numbered(message: Message) -> None:
            nonlocal status, size
            match message["type"]:
                case "http.response.start":
                    status = message["status"]
                    MutableHeaders(scope=message)[HEADER] = number
                case "websocket.accept":
                    status = 101
                case "http.response.body":
                    size += len(message.get("body", b""))
            await send(message)

        token = request_id.set(number)
        try:
            await self._app(scope, receive, numbered)
        finally:
            if log.isEnabledFor(logging.INFO):
                seconds = time.perf_counter() - began
                method = scope.get("method", "SOCKET")
                log.info("%s %s %d %d bytes %.1f ms", method, named_route(scope["path"]), status, size, seconds * 1000)
            request_id.reset(token)


def named_route(path: str) -> str:
    """Return a path without what names somebody or something: such parts, and all after them, are an asterisk."""
    kept: list[str] = []
    for part in path.split("/"):
        if part and not _NAMES_NOBODY.fullmatch(part):
            return "/".join([*kept, "*"])
        kept.append(part)
    return "/".join(kept)
