"""The two ways in which an HTTP request carries a message: in a header, or in the body, before the data."""

from __future__ import annotations

from collections.abc import AsyncIterator

from web5.chunks import reading
from web5.dwn.wire import rpc
from web5.dwn.wire.rpc_body import CONTENT_TYPE, encode_head
from web5.ports.http import BodyStream

Content = tuple[dict[str, str], bytes | BodyStream | None]
"""The headers and the body of a request."""


def in_header(request: str, data: bytes | BodyStream | None) -> Content:
    """Return an HTTP request with a JSON-RPC request in its header, and the data as its body."""
    headers = {rpc.REQUEST_HEADER: request}
    if data is not None:
        headers["content-type"] = "application/octet-stream"
    return headers, data


def in_body(request: str, data: bytes | BodyStream | None) -> Content:
    """Return an HTTP request with a JSON-RPC request in its body (`rpc_body`), and the data behind it."""
    head = encode_head(request.encode(), has_data=data is not None)
    headers = {"content-type": CONTENT_TYPE}
    if not isinstance(data, BodyStream):
        return headers, head + (data or b"")
    on_sent = data.on_sent

    def of_data(sent: int) -> None:
        if on_sent is not None:
            on_sent(max(0, sent - len(head)))

    return headers, BodyStream(_behind(head, data), len(head) + data.size, on_sent and of_data)


async def _behind(head: bytes, data: BodyStream) -> AsyncIterator[bytes]:
    yield head
    async with reading(data) as chunks:
        async for chunk in chunks:
            yield chunk
