"""The settings of a node, as one model: its flags, its variables, its file and its documentation are made from this."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from web5.dwn.time_window import WINDOW_SECONDS
from web5.node.http.connections import ConnectionLimits
from web5.node.http.server import GRACE_SECONDS
from web5.node.limits import LEAST_REPLY, Limits
from web5.node.mainline.manners import PUBLIC, Manners
from web5.node.program.values import (
    Address,
    Count,
    DwnPath,
    Listed,
    Network,
    Token,
    UdpNode,
    Url,
    blobs_url,
    database_url,
)
from web5.node.s3.address import S3Address
from web5.node.serve import ADMIN, GATEWAY
from web5.node.stores import Place, Postgres

PREFIX = "WEB5_NODE_"


class NodeSettings(BaseSettings):
    """The settings of one node process. It reads nothing by itself: `sources.read` gathers the values."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True)

    data: Annotated[
        Path | None, Field(description="the folder of the data, for one process at a time; it or `database` is set")
    ] = None
    database: Annotated[
        str | None,
        AfterValidator(database_url),
        Field(
            description="the PostgreSQL database of the data, for any number of processes, such as"
            " `postgresql://user@host/name`, which counts before `data`; a password is better in `~/.pgpass`, or in"
            " the variable, than in a flag"
        ),
    ] = None
    database_connections: Annotated[
        int, Field(ge=1, le=1000, description="the most connections that each DWN of this process works with there")
    ] = 8
    blobs: Annotated[
        str | None,
        AfterValidator(blobs_url),
        Field(
            description="the place of large data in S3-compatible storage, such as"
            " `s3://bucket/prefix?endpoint=https://s3.example.org&region=eu-central-1`; if not set, they are with the"
            " messages. Its keys are in `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`"
        ),
    ] = None
    host: Annotated[str, Field(description="the address to listen on; `0.0.0.0` or `::`: all of this machine's")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Field(ge=0, le=65535, description="the port to listen on; 0 takes a free one")] = 8000
    paths: Annotated[
        tuple[DwnPath, ...],
        *Listed,
        Field(min_length=1, max_length=16, description="where DWNs are served, each with data of its own"),
    ] = ("/",)
    gateway: Annotated[bool, Field(description=f"serve a DID DHT gateway at `{GATEWAY}`")] = True
    gateways: Annotated[
        tuple[Url, ...],
        *Listed,
        Field(max_length=16, description="DID DHT gateways that are asked for what the own one does not know"),
    ] = ()
    mainline: Annotated[
        bool,
        Field(
            description="put the documents of the gateway into the Mainline DHT, and look up there what it does not"
            " know; needs the extra `mainline`"
        ),
    ] = False
    mainline_nodes: Annotated[
        tuple[UdpNode, ...],
        *Listed,
        Field(min_length=1, max_length=16, description="the nodes of the DHT that are asked first, as `host:port`"),
    ] = PUBLIC
    mainline_address: Annotated[
        Address,
        Field(description="the IPv4 address of this machine from which the DHT is spoken to"),
    ] = "0.0.0.0"
    mainline_port: Annotated[
        int, Field(ge=0, le=65535, description="the UDP port for it, which need not be open; 0 takes a free one")
    ] = 0
    connect: Annotated[
        bool, Field(description="relay between apps and wallets that connect, at `/connect` of each path")
    ] = True
    site: Annotated[Path | None, Field(description="the folder of a static site to serve at `/`")] = None
    public_url: Annotated[
        Url | None,
        Field(description="the URL of the root, for `/info`; if not set, the address that was connected to"),
    ] = None
    proxies: Annotated[
        tuple[Network, ...],
        *Listed,
        Field(
            max_length=100,
            description="addresses or networks of reverse proxies, whose `X-Forwarded-For` and `X-Forwarded-Proto` are"
            " believed; nobody else's are",
        ),
    ] = ()
    terms: Annotated[
        Path | None, Field(description="a text file: only who agrees to these terms of service is served")
    ] = None
    proof_of_work: Annotated[
        Count,
        Field(
            description="hashes: only who does about so much work once is served; 16777216 is dwn-server's default, 0"
            " wants none",
        ),
    ] = 0
    admission: Annotated[
        Literal["open", "list", "invitation"],
        Field(
            description="who is served: everybody, or who `web5-node tenants allow` has admitted, or besides, who"
            " registers with the code of an invitation that `web5-node tenants invite` has made"
        ),
    ] = "open"
    tenant_bytes: Annotated[
        Count, Field(description="the most bytes that a tenant may keep, data included; 0: any")
    ] = 0
    tenant_messages: Annotated[Count, Field(description="the most messages that a tenant may keep; 0: any")] = 0
    guest_bytes: Annotated[
        Count, Field(description="the most bytes that one guest may have in a tenant's DWN; 0: any")
    ] = 0
    guest_messages: Annotated[
        Count, Field(description="the most messages that one guest may have in a tenant's DWN; 0: any")
    ] = 0
    address_rate: Annotated[
        int, Field(ge=0, le=10**9, description="the requests that one address may make in a minute; 0: any")
    ] = 0
    tenant_rate: Annotated[
        int, Field(ge=0, le=10**9, description="the requests to one tenant, by all together, in a minute; 0: any")
    ] = 0
    time_window: Annotated[
        int,
        Field(
            ge=0,
            le=10**9,
            description="seconds that the date of a signed question may differ from the clock here, or a message be"
            " ahead of it; 0: any",
        ),
    ] = int(WINDOW_SECONDS)
    record_bytes: Annotated[int, Field(ge=1, le=2**50, description="the most bytes of data that a record may have")] = (
        Limits.data
    )
    reply_bytes: Annotated[
        int,
        Field(
            ge=LEAST_REPLY,
            le=Limits.unread,
            description="the most bytes of entries in one reply; what more there is follows by its cursor",
        ),
    ] = Limits.reply
    connections: Annotated[
        int, Field(ge=1, le=10**6, description="the most connections, as far as the process may open so many files")
    ] = ConnectionLimits.connections
    connections_per_address: Annotated[
        int | None,
        Field(ge=1, le=10**6, description="the most of one address; if not set, half of them all"),
    ] = None
    shutdown_seconds: Annotated[
        int, Field(ge=0, le=3600, description="the time that requests under way have when the node is ended")
    ] = GRACE_SECONDS
    metrics: Annotated[bool, Field(description="serve figures for Prometheus at `/metrics` of each path")] = True
    metrics_token: Annotated[
        Token | None,
        Field(description="the bearer token without which nobody gets them; if not set, everybody does"),
    ] = None
    admin_token: Annotated[
        Token | None,
        Field(description=f"the token of the operator's page at `{ADMIN}`; if not set, there is no such page"),
    ] = None
    allow_local: Annotated[
        bool,
        Field(
            description="resolve did:web of this machine and its network too, and let nodes of a DHT share an address:"
            " for development, never with strangers about"
        ),
    ] = False
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Field(description="the least that is written to the log; from `info` on, a line for each request"),
    ] = "warning"
    log_format: Annotated[
        Literal["text", "json"], Field(description="lines for people, or an object of JSON in each")
    ] = "text"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)

    @model_validator(mode="after")
    def _fits(self) -> NodeSettings:
        if self.data is None and self.database is None:
            raise ValueError("data: say where the data are: in a folder, or with database in PostgreSQL")
        if self.mainline and not self.gateway:
            raise ValueError("mainline: it is the gateway's, which is off")
        if len(set(self.paths)) < len(self.paths):
            raise ValueError("paths: one is there twice")
        if "/" in self.paths and len(self.paths) > 1:
            raise ValueError("paths: where there are several, none of them can be /")
        if self.site is not None and "/" in self.paths:
            raise ValueError("site: it is served at /, so that the DWNs need paths of their own, such as /dwn0")
        return self

    @property
    def place(self) -> Place:
        """The folder or the database of the data."""
        if self.database is not None:
            return Postgres(self.database, self.database_connections)
        assert self.data is not None
        return self.data

    @property
    def manners(self) -> Manners | None:
        """The manner in which the DHT is spoken to; None: it is not."""
        if not self.mainline:
            return None
        return Manners(self.mainline_nodes, self.mainline_address, self.mainline_port, local=self.allow_local)

    @property
    def s3(self) -> S3Address | None:
        """The place of large data, if that is not with the messages."""
        return None if self.blobs is None else S3Address.parse(self.blobs)

    @property
    def place_shown(self) -> str:
        """The same in words, without a password."""
        return str(self.data) if self.database is None else without_password(self.database)


def without_password(url: str) -> str:
    """Return the URL of a database without what only its users should know."""
    shorter = re.sub(r"(?i)([?&]password=)[^&]*", r"\1…", url)
    return re.sub(r"^([a-z]+://[^/@:]*):[^/@]*@", r"\1:…@", shorter)


def is_secret(name: str) -> bool:
    """Return True if a setting's value is shown to nobody, so that it is no flag, which the process list shows."""
    return name.endswith("_token")


def shown(value: Any) -> str:
    """Return the value of a setting as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(shown, value))}]"
    text = "".join(char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08X}" for char in str(value))
    return f'"{text}"'
