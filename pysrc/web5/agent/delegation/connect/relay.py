"""The relay, as an app and a wallet use it: any server with the paths of `@web5/dwn-server` below `/connect`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from web5.agent.delegation.connect.wire import LONGEST
from web5.errors import BadReply, NotConnected, NotConnectedReason
from web5.ports.http import Http, get_document
from web5.strict_json import parse
from web5.urls import normal_endpoint

SECONDS = 30.0
"""Time for one request."""

MOST_SECONDS = 600
"""Time for which a request is waited on; dwn-server keeps them so long."""

_ANSWER_BYTES = 16 * 1024


class Pushed(NamedTuple):
    """The URL of a request at the relay, and the seconds for which it is there."""

    uri: str
    seconds: int


async def push(http: Http, server: str, request: str) -> Pushed:
    """Leave a request.

    Raises:
        NotConnected: "refused".
        RemoteError: the relay cannot be reached, or is none.
    """
    url = f"{server.rstrip('/')}/par"
    body = await _post(http, url, {"request": request})
    try:
        said = parse(body.decode())
    except ValueError as error:
        raise BadReply(f"{url} did not answer in JSON") from error
    match said:
        case {"request_uri": str(uri), "expires_in": int(seconds)} if normal_endpoint(uri) and seconds > 0:
            return Pushed(uri, min(seconds, MOST_SECONDS))
    raise BadReply(f"{url} did not say where the request is")


async def answer(http: Http, url: str, state: str, response: str) -> None:
    """Leave a response.

    Raises:
        NotConnected: "refused".
        RemoteError: the relay cannot be reached.
    """
    await _post(http, url, {"id_token": response, "state": state})


async def take(http: Http, url: str) -> str | None:
    """Return what was left, which then is there no more; None if it is not there.

    Raises:
        BadReply: it answers in another way than a relay does.
        RemoteError: it cannot be reached.
    """
    status, body = await get_document(http, url, limit=LONGEST, seconds=SECONDS)
    if status == 200:
        return body.decode("latin-1")
    if status == 404:
        return None
    raise BadReply(f"{url} answered with status {status}")


async def _post(http: Http, url: str, fields: Mapping[str, Any]) -> bytes:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    response = await http.request("POST", url, headers=headers, body=urlencode(fields).encode(), timeout=SECONDS)
    body = await response.read(_ANSWER_BYTES, SECONDS)
    if response.status in (200, 201):
        return body
    if response.status in (400, 409, 413, 429, 503):
        said = body[:200].decode("utf-8", "replace")
        raise NotConnected(NotConnectedReason.REFUSED, f"{url} answered with status {response.status}: {said!a}")
    raise BadReply(f"{url} answered with status {response.status}")
