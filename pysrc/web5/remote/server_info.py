"""The description that a DWN server gives of itself: `GET {endpoint}/info`."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from web5.dwn.rpc import SHOWN_CHARACTERS
from web5.errors import BadReply
from web5.ports.http import Http

MAX_INFO_BYTES = 64 * 1024
"""Bytes of `/info` that are read; servers send a few hundred."""


class ServerInfo(BaseModel):
    """The part of `GET {endpoint}/info` that matters here; see `src/http-api.ts` of `@web5/dwn-server`."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    registration_requirements: list[str] = Field(default_factory=list)
    """The steps before a tenant may write, such as "proof-of-work-sha256-v0" or "terms-of-service"."""
    web_socket_support: bool = False


async def server_info(http: Http, endpoint: str, timeout: float) -> ServerInfo:
    """Ask a DWN server for its description.

    Parameters:
        timeout: in seconds, as `Http.request` has it.

    Raises:
        Unreachable, TimedOut: as `Http` does.
        BadReply: the answer is not a DWN server's.
    """
    response = await http.request("GET", endpoint_url(endpoint, "info"), timeout=timeout)
    body = await response.read(MAX_INFO_BYTES)
    try:
        if response.status == 200:
            return ServerInfo.model_validate_json(body)
    except ValidationError:
        pass
    beginning = body[:SHOWN_CHARACTERS].decode("utf-8", "replace")
    raise BadReply(f"{endpoint} answered {response.status} to /info: {beginning!r}")


def endpoint_url(endpoint: str, path: str) -> str:
    """Return the URL of a resource that a server has beside its RPC."""
    scheme, host, base, query, _ = urlsplit(endpoint)
    return urlunsplit((scheme, host, f"{base.rstrip('/')}/{path}", query, ""))
