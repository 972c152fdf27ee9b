"""Requests whose message is in the body, in front of the data (`rpc_body`), read in bounded memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.requests import Request

from web5.dwn.wire import rpc
from web5.dwn.wire.rpc import ErrorCode, RpcFault
from web5.dwn.wire.rpc_body import HEAD_BYTES, MalformedBody, parse_head
from web5.node.limits import Usage

LARGE = 64 * 1024
"""Bytes of a message from which on it counts among those that the clients of an address send at a time."""


async def read_body_call(
    request: Request, usage: Usage, address: str
) -> tuple[rpc.Request, AsyncIterator[bytes] | None]:
    """Return the request in a body, and the data behind it, which are yet to be read.

    Raises:
        RpcFault: it is malformed or too large, or too many large ones come from this address.
    """
    body = _Body(request)
    try:
        length, has_data = parse_head(await body.take(HEAD_BYTES))
        if length > usage.limits.envelope:
            message = f"a message may have {usage.limits.envelope} bytes in the body, not {length}"
            raise RpcFault(ErrorCode.CONTENT_TOO_LARGE, message)
        if length >= LARGE and usage.envelopes.left(address) < length:
            raise RpcFault(ErrorCode.TOO_MANY_REQUESTS, "too many large messages at a time; send them one by one")
        give_back = usage.envelopes.take(address, length if length >= LARGE else 0)
        try:
            envelope = await body.take(length)
            if len(envelope) < length:
                raise MalformedBody("the body ends before its message does")
            call = rpc.parse_request(envelope.decode())
        finally:
            give_back()
    except (MalformedBody, UnicodeDecodeError) as error:
        raise RpcFault(ErrorCode.BAD_REQUEST, str(error)) from error
    if not has_data:
        if body.has_more:
            raise RpcFault(ErrorCode.BAD_REQUEST, "the body has data without the flag for them", call.id)
        return call, None
    return call, body.rest(usage.limits.data, call.id)


class _Body:
    """The body of a request, in parts."""

    def __init__(self, request: Request) -> None:
        self._chunks = aiter(request.stream())
        self._held = bytearray()

    async def take(self, size: int) -> bytes:
        """Return so many bytes, or as many as there are."""
        while len(self._held) < size:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                break
            self._held += chunk
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    @property
    def has_more(self) -> bool:
        """True if bytes have come that nobody took. Those that are yet to come are not waited for."""
        return bool(self._held)

    async def rest(self, limit: int, call_id: rpc.Id) -> AsyncIterator[bytes]:
        """Iterate over what was not taken; raises RpcFault for more than `limit` bytes."""
        size, chunk = 0, bytes(self._held)
        self._held.clear()
        while True:
            size += len(chunk)
            if size > limit:
                raise RpcFault(ErrorCode.CONTENT_TOO_LARGE, f"a record may have {limit} bytes of data here", call_id)
            if chunk:
                yield chunk
            following = await anext(self._chunks, None)
            if following is None:
                return
            chunk = following
