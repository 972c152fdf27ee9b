"""The commands of `web5-node`, once their settings are known."""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from importlib.util import find_spec
from pathlib import Path

from starlette.types import ASGIApp

from web5.errors import InvalidArgument, StorageError, Web5Error
from web5.node import logs
from web5.node.http.connections import ConnectionLimits
from web5.node.http.requests import NumberedRequests
from web5.node.http.server import Server, ServerConfig, listen, server_config
from web5.node.limits import Limits
from web5.node.program.settings import NodeSettings, is_secret, shown, without_password
from web5.node.program.sources import Found, WrongSettings
from web5.node.program.values import is_url
from web5.node.registration import RegistrationSettings
from web5.node.s3.address import S3Address
from web5.node.serve import embedded
from web5.node.stores import Postgres
from web5.node.tenants.rates import Rates
from web5.node.tenants.registry import Quota
from web5.node.tenants.tenancy import TenantRules
from web5.node.upkeep import move as moving
from web5.node.upkeep.backup import back_up
from web5.node.upkeep.check import faults
from web5.node.upkeep.check_s3 import faults_beside_postgres

FOUND = 3
"""The exit status of `check` where something is not whole."""

COLLECTED_AFTER = 10_000
"""New objects after which the garbage collector looks at them: a request makes some hundreds, and leaves hardly any."""

LONGEST_TERMS = 1 << 20
"""Bytes of terms of service; people are to read them."""


class CannotListen(Web5Error):
    """An address that the node cannot listen on."""


def config(found: Found) -> int:
    """Print the settings as a TOML file, in which comments say where each comes from."""
    lines = [
        (f"# {name} is {'not set' if value is None else 'set, and not shown'}", found.places.get(name, "default"))
        if value is None or is_secret(name)
        else (
            f"{name} = {shown(without_password(value) if name == 'database' else value)}",
            found.places.get(name, "default"),
        )
        for name, value in found.settings
    ]
    width = max(len(text) for text, _ in lines)
    for text, place in lines:
        print(f"{text.ljust(width)}  # {place}")
    return 0


def serve(found: Found) -> int:
    """Serve until SIGINT or SIGTERM.

    Raises:
        WrongSettings: the site or the terms are not where they should be.
        CannotListen: the address cannot be had.
        StorageError: the data cannot be opened.
    """
    settings = found.settings
    logs.set_up(settings.log_level, settings.log_format)
    if settings.site is not None and not settings.site.is_dir():
        raise WrongSettings(f"{found.places['site']}: there is no folder {settings.site}; build.py site makes one")
    if settings.mainline and find_spec("libtorrent") is None:
        raise WrongSettings(
            f"{found.places['mainline']}: this needs more: pip install 'web5-py[node,mainline]', on Python before 3.14"
        )
    registration = RegistrationSettings(_terms(found), settings.proof_of_work)
    listener = _listener(settings)
    app = embedded(
        settings.place,
        settings.site,
        registration,
        settings.time_window or None,
        allow_local=settings.allow_local,
        public_url=settings.public_url,
        limits=Limits(reply=settings.reply_bytes, data=settings.record_bytes),
        paths=settings.paths,
        gateway=settings.gateway,
        gateways=settings.gateways,
        mainline=settings.manners,
        connect=settings.connect,
        s3=settings.s3,
        admin_token=settings.admin_token.get_secret_value() if settings.admin_token else None,
        rules=tenant_rules(settings),
        rates=Rates(settings.address_rate, settings.tenant_rate),
        serve_metrics=settings.metrics,
        metrics_token=settings.metrics_token.get_secret_value() if settings.metrics_token else None,
    )
    try:
        asyncio.run(_serve(listener, app, settings))
    except (StorageError, OSError) as error:
        raise StorageError(f"The data in {settings.place_shown} cannot be opened: {error}") from error
    finally:
        listener.close()
    return 0


def backup(found: Found, target: Path, *, large: bool = True) -> int:
    """Copy the data of a node, which may run.

    Parameters:
        large: False: the databases alone.

    Raises:
        StorageError: they cannot be read, or the copy not be written.
    """
    s3 = found.settings.s3
    copied = back_up(_folder(found, "pg_dump copies it while the node runs"), target, s3, large=large)
    print(f"{target}: {copied.databases} databases, {copied.blobs} blobs, {copied.bytes:,} bytes")
    if s3 is not None and large:
        print(f"  the blobs of {s3} are in the copy: serve it without --blobs, or move it with --target-blobs")
    if copied.left_out:
        print(f"  not copied: {copied.left_out} blobs{f' in {s3}' if s3 else ''}, which the copy names and needs")
    return 0


def check(found: Found) -> int:
    """Look at the data of a node, which may run, and print what is not whole; the exit status.

    Raises:
        StorageError: there are none.
    """
    settings, count = found.settings, 0

    def note(line: str) -> None:
        print(line, flush=True)

    if isinstance(settings.place, Postgres) and settings.s3 is not None:
        note("the database itself is PostgreSQL's to check, with pg_amcheck; here are the large data in S3")
        where = settings.place_shown
        lines: Iterable[str] = asyncio.run(faults_beside_postgres(settings.place, settings.paths, settings.s3, note))
    else:
        folder = _folder(found, "pg_amcheck looks at it")
        where, lines = str(folder), faults(folder, settings.s3, note)
    for fault in lines:
        note(fault)
        count += 1
    print(f"{where}: {f'{count} faults' if count else 'all is whole'}")
    return FOUND if count else 0


def move(found: Found, target: str, target_blobs: str | None = None) -> int:
    """Move the data of a node that has ended.

    Parameters:
        target_blobs: the place of large data there in S3-compatible storage; None: they are with the messages.

    Raises:
        StorageError: they cannot be read, or not be put there.
    """
    settings = found.settings
    there = Postgres(target, settings.database_connections) if is_url(target) else Path(target)
    try:
        s3 = None if target_blobs is None else S3Address.parse(target_blobs)
    except ValueError as error:
        raise InvalidArgument(f"--target-blobs: {error}") from None
    moved = asyncio.run(moving.move(settings.place, there, settings.paths, settings.s3, s3))
    print(
        f"{without_password(target)}: {moved.messages} messages, {moved.blobs} large data of {moved.bytes:,} bytes,"
        f" {moved.documents} documents; both hold the same"
    )
    return 0


def _folder(found: Found, instead: str) -> Path:
    """Return the folder of the data. Raises InvalidArgument where there is none."""
    if found.settings.database is not None or found.settings.data is None:
        raise InvalidArgument(f"the data are in PostgreSQL ({found.settings.place_shown}): {instead}")
    return found.settings.data


def tenant_rules(settings: NodeSettings) -> TenantRules:
    """Return what holds for all tenants by the settings."""
    return TenantRules(
        settings.admission,
        Quota(settings.tenant_bytes or None, settings.tenant_messages or None),
        Quota(settings.guest_bytes or None, settings.guest_messages or None),
    )


async def _serve(listener: socket.socket, app: AbstractAsyncContextManager[ASGIApp], settings: NodeSettings) -> None:
    limits = ConnectionLimits(settings.connections, settings.connections_per_address)
    async with app as opened:
        spare_collections()
        one = server_config(NumberedRequests(opened), limits, settings.proxies, settings.shutdown_seconds)
        await _Announced(one).serve([listener])


def spare_collections() -> None:
    """Have Python's garbage collector look no more at what was made until now, which stays as long as the process.

    A full collection of the modules alone takes some 50 ms, in which nobody is answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER, *gc.get_threshold()[1:])


class _Announced(Server):
    """A server that prints its address once it accepts."""

    def __init__(self, config: ServerConfig) -> None:
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            print(f"Serving http://{f'[{host}]' if ':' in host else host}:{port}/", flush=True)


def _terms(found: Found) -> str | None:
    if (path := found.settings.terms) is None:
        return None
    try:
        with path.open("rb") as file:
            text = file.read(LONGEST_TERMS + 1)
        if len(text) > LONGEST_TERMS:
            raise ValueError(f"they have more than {LONGEST_TERMS} bytes")
        return text.decode()
    except (OSError, ValueError) as error:
        raise WrongSettings(f"{found.places['terms']}: the terms in {path} cannot be read: {error}") from None


_WAYS_OUT = {
    errno.EADDRINUSE: "something else listens there; end that, or take another --port",
    errno.EACCES: "this user may not listen there; take a --port from 1024 on, and put a proxy in front",
    errno.EADDRNOTAVAIL: "this machine has no such address; take another --host",
}


def _listener(settings: NodeSettings) -> socket.socket:
    try:
        return listen(settings.host, settings.port)
    except OSError as error:
        way_out = _WAYS_OUT.get(error.errno or 0, "take another --host or --port")
        reason = error.strerror or error
        raise CannotListen(f"Cannot serve at {settings.host}:{settings.port} ({reason}): {way_out}.") from error
