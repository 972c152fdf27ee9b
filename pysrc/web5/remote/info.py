"""A DWN server's `/info`, and the URLs of what it has beside its endpoint."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic.alias_generators import to_camel

from web5 import strict_json
from web5.dwn.wire import rpc
from web5.dwn.wire.rpc_body import BODY_V1
from web5.errors import BadReply
from web5.ports.http import Http

MAX_INFO_BYTES = 64 * 1024
"""Bytes of `/info` that are read; servers send a few hundred."""


def _or_none(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Take what is only shown for nothing, if it has no sensible form."""
    try:
        return validate(value)
    except ValidationError:
        return None


Told = Annotated[str | None, Field(max_length=100), WrapValidator(_or_none)]


class ServerInfo(BaseModel):
    """The part of `GET {endpoint}/info` that matters here; see `src/http-api.ts` of `@web5/dwn-server`."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, defer_build=True)

    registration_requirements: list[Annotated[str, Field(max_length=100)]] = Field(default_factory=list, max_length=20)
    """The steps before a tenant may write, such as "proof-of-work-sha256-v0" or "terms-of-service"."""
    web_socket_support: bool = False
    server: Told = None
    """The name of the program."""
    version: Told = None
    sdk_version: Told = None
    """The version of its DWN engine."""
    http_rpc_framing: Annotated[
        list[Annotated[str, Field(max_length=100)]] | None, Field(max_length=20), WrapValidator(_or_none)
    ] = None
    """The ways, besides the header `dwn-request`, in which it reads requests, such as "body-v1" (`rpc_body`)."""
    max_file_size: Annotated[int | None, Field(ge=0), WrapValidator(_or_none)] = None
    """Bytes of a record's data that it takes, at the most."""

    @property
    def takes_bodies(self) -> bool:
        """True if it reads messages in the body of a request."""
        return BODY_V1 in (self.http_rpc_framing or ())


async def server_info(http: Http, endpoint: str, timeout: float) -> ServerInfo:
    """Ask a DWN server for its description.

    Parameters:
        timeout: in seconds, as `Http.request` has it.

    Raises:
        Unreachable, TimedOut: as `Http` does.
        BadReply: the answer is not a DWN server's.
    """
    response = await http.request("GET", endpoint_url(endpoint, "info"), timeout=timeout)
    body = await response.read(MAX_INFO_BYTES, timeout)
    try:
        if response.status == 200:
            return ServerInfo.model_validate(strict_json.parse(body.decode()))
    except ValueError:
        pass
    beginning = body[: rpc.SHOWN_CHARACTERS].decode("utf-8", "replace")
    raise BadReply(f"{endpoint} answered {response.status} to /info: {beginning!r}")


def endpoint_url(endpoint: str, path: str) -> str:
    """Return the URL of a resource that a server has beside its RPC."""
    scheme, host, base, query, _ = urlsplit(endpoint)
    return urlunsplit((scheme, host, f"{base.rstrip('/')}/{path}", query, ""))


def socket_url(endpoint: str) -> str:
    """Return the URL under which a server takes WebSockets."""
    scheme, host, path, query, _ = urlsplit(endpoint)
    return urlunsplit(("wss" if scheme == "https" else "ws", host, path, query, ""))
