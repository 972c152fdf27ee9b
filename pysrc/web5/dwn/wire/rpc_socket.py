"""The JSON-RPC messages that a WebSocket carries, as text, for both ends: those of `rpc`, and subscriptions.

A request with the method `rpc.subscribe.dwn.processMessage` names an id for the subscription that its message opens, or
leaves it to the server (`"subscription": {}`); each event then comes as a response with that id. `rpc.subscribe.close`
ends it. Source: `src/json-rpc-socket.ts`, `src/connection/socket-connection.ts` and
`src/json-rpc-handlers/subscription/close.ts` of `@web5/dwn-server` 0.6.1.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from web5.dwn.events import Event
from web5.dwn.values.cid import message_cid
from web5.dwn.wire import rpc
from web5.dwn.wire.rpc import ErrorCode, Id, RpcFault
from web5.errors import NotEncodable

SUBSCRIBE = "rpc.subscribe.dwn.processMessage"
CLOSE = "rpc.subscribe.close"


@dataclass(frozen=True)
class Close:
    """A request to end a subscription."""

    id: Id
    subscription: Id


@dataclass(frozen=True)
class Response:
    """A server's answer to the request with this id, or an event of the subscription with this id."""

    id: Id
    content: dict[str, Any]
    text: str

    @property
    def is_error(self) -> bool:
        return isinstance(self.content.get("error"), dict)

    def reply(self) -> dict[str, Any]:
        """Return the DWN's reply; see `rpc.parse_response`.

        Raises:
            BadReply: it carries none.
        """
        return rpc.reply_in(self.content, self.text)

    def event(self) -> dict[str, Any]:
        """Return `{"message": …, "initialWrite": …}`, the latter unless the message is the initial write itself.

        Raises:
            BadReply: it carries none.
        """
        match self.content.get("result"):
            case {"event": {"message": dict()} as event} if isinstance(event.get("initialWrite", {}), dict):
                return event  # type: ignore[no-any-return]
        raise rpc.no_response(self.text)


def encode_subscribe(target: str, message: dict[str, Any], subscription: Id, id: Id = None) -> str:
    """Encode the request that `target`'s DWN process a Subscribe message; events come with the id `subscription`."""
    params = {"target": target, "message": message}
    return rpc.encode(id, method=SUBSCRIBE, params=params, subscription={"id": subscription})


def encode_close(subscription: Id, id: Id = None) -> str:
    """Encode the request that ends a subscription."""
    return rpc.encode(id, method=CLOSE, params={}, subscription={"id": subscription})


def parse_request(text: str) -> rpc.Request | Close:
    """Read a request.

    A `subscription` beside a plain `dwn.processMessage` is not looked at, as with the reference.

    Raises:
        RpcFault: as `rpc.parse_request`; or a subscription's id is missing.
    """
    if not text:
        raise RpcFault(ErrorCode.BAD_REQUEST, "request payload required.")
    envelope = rpc.parse_envelope(text)
    if envelope.method == rpc.PROCESS_MESSAGE:
        return envelope.request()
    if envelope.method == SUBSCRIBE:
        request = envelope.request()
        return replace(request, subscription=_opened(envelope, request.message))
    if envelope.method == CLOSE:
        return Close(envelope.id, _subscription(envelope))
    raise envelope.no_method()


def _opened(envelope: rpc.Envelope, message: dict[str, Any]) -> Id:
    """Return the id of the subscription that is to be opened, None if there is to be none.

    One that the client leaves out is the CID of the message, which the reply tells as the subscription's own id. With
    the reference, events come without any then.
    """
    options = envelope.content.get("subscription")
    if isinstance(options, dict) and options.get("id") is None:
        try:
            return message_cid(message)
        except NotEncodable as error:
            raise RpcFault(ErrorCode.INVALID_PARAMS, f"the message has no CID: {error.message}", envelope.id) from error
    return None if "subscription" not in envelope.content else _subscription(envelope)


def _subscription(envelope: rpc.Envelope) -> Id:
    subscription = envelope.content.get("subscription")
    if subscription is None:
        raise RpcFault(ErrorCode.INVALID_REQUEST, "subscribe options do not exist", envelope.id)
    id = rpc.id_of(subscription) if isinstance(subscription, dict) else None
    if id is None:
        raise RpcFault(ErrorCode.INVALID_PARAMS, "a subscription needs an id, a string or a number", envelope.id)
    return id


def encode_closed(id: Id) -> str:
    """Encode the response to a close, whose status has another shape than that of a DWN."""
    return rpc.encode(id, result={"reply": {"status": 200, "detail": "Accepted"}})


def encode_event(subscription: Id, event: Event) -> str:
    return f'{{"jsonrpc":"2.0","id":{json.dumps(subscription)},"result":{{"event":{event.text}}}}}'


def parse_response(text: str) -> Response:
    """Read a server's message as far as the id of its receiver.

    Raises:
        BadReply: this is no JSON-RPC response; the message shows how it begins.
    """
    try:
        content = rpc.decode(text)
    except ValueError:
        raise rpc.no_response(text) from None
    if not isinstance(content, dict) or not ("result" in content or "error" in content):
        raise rpc.no_response(text)
    return Response(rpc.id_of(content), content, text)
