"""`web5-node tenants`: what the operator sees and says of tenants, while the node runs or not."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import apsw

from web5.cpython.lock import sole_use
from web5.dids.uri import parse_did
from web5.dwn.store.database import open_file
from web5.dwn.store.store import Store
from web5.dwn.store.whole import erase
from web5.errors import InvalidArgument, StorageError
from web5.node.program.commands import tenant_rules
from web5.node.program.settings import NodeSettings
from web5.node.stores import DATABASE, REGISTRY, Stores, in_folder, name_of, stores_of
from web5.node.tenants.registry import Registry, Said
from web5.node.tenants.tenancy import TenantRules
from web5.node.tenants.use import Amount, all_used, prepare

USUAL, ANY = "usual", "any"
_USUAL = -1

ACTIONS = {
    "list": "list all tenants, what they keep, and what was said of them",
    "show": "show one tenant",
    "allow": "admit a tenant, where `admission` is list",
    "disallow": "admit it no longer",
    "suspend": "serve a tenant no longer, and keep what it has",
    "resume": "serve it again",
    "quota": "give a tenant a quota of its own",
    "delete": "erase all that a tenant has here; a node with a folder must have ended",
}


def add_actions(parser: argparse.ArgumentParser) -> None:
    """Give a parser the actions, and what they take."""
    parser.add_argument("action", choices=ACTIONS, metavar="ACTION", help="; ".join(map(": ".join, ACTIONS.items())))
    parser.add_argument("did", nargs="?", metavar="DID", help="the tenant, for all actions but list")
    parser.add_argument("--at", default=None, metavar="PATH", help="the path of the DWN, where there are several")
    parser.add_argument("--bytes", type=_amount, metavar="BYTES", help=f"for quota: a number, {USUAL} or {ANY}")
    parser.add_argument("--messages", type=_amount, metavar="COUNT", help=f"for quota: a number, {USUAL} or {ANY}")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")


def run(options: argparse.Namespace, settings: NodeSettings) -> int:
    """Do what the operator asks for.

    Raises:
        InvalidArgument: it cannot be understood.
        StorageError: the data cannot be opened, or are in use where they must not be.
    """
    at = options.at or (settings.paths[0] if len(settings.paths) == 1 else None)
    if at not in settings.paths:
        raise InvalidArgument(f"say which DWN, with --at: {', '.join(settings.paths)}")
    if options.action != "list" and ((did := parse_did(options.did or "")) is None or did.uri != options.did):
        raise InvalidArgument(f"{options.action} wants the DID of a tenant, not {options.did!r}")
    asyncio.run(_in_postgres(options, settings, at) if settings.database else _in_folder(options, settings, at))
    return 0


async def _in_folder(options: argparse.Namespace, settings: NodeSettings, at: str) -> None:
    assert settings.data is not None
    folder = settings.data / name_of(at)
    if not (folder / DATABASE).exists():
        raise StorageError(f"there is no DWN in {folder}")
    if options.action == "delete":
        with sole_use(settings.data):
            async with in_folder(folder) as stores:
                await _delete(stores, options.did)
        return
    database = open_file(folder / REGISTRY)
    try:
        await _see_or_say(options, settings, Registry(database), lambda: _used(folder))
    finally:
        await database.close()


async def _in_postgres(options: argparse.Namespace, settings: NodeSettings, at: str) -> None:
    async with stores_of(settings.place, at, make=False) as stores:
        database = stores.messages
        Store(database).open()
        prepare(database)
        if options.action == "delete":
            await _delete(stores, options.did)
        else:
            await _see_or_say(options, settings, Registry(database), lambda: all_used(database.connection))


async def _see_or_say(
    options: argparse.Namespace, settings: NodeSettings, registry: Registry, used: Callable[[], dict[str, Amount]]
) -> None:
    if options.action in ("list", "show"):
        _show(options, tenant_rules(settings), used(), registry.everything())
    else:
        await registry.say(options.did, _changed(options, registry.said(options.did)))


def _changed(options: argparse.Namespace, said: Said) -> Said:
    match options.action:
        case "allow" | "disallow":
            return replace(said, admitted=options.action == "allow")
        case "suspend" | "resume":
            return replace(said, suspended=options.action == "suspend")
    if options.bytes is None and options.messages is None:
        raise InvalidArgument("quota wants --bytes, --messages or both")
    return replace(said, bytes=_chosen(options.bytes, said.bytes), messages=_chosen(options.messages, said.messages))


def _chosen(given: int | None, before: int | None) -> int | None:
    return before if given is None else None if given == _USUAL else given


def _used(folder: Path) -> dict[str, Amount]:
    with closing(apsw.Connection(str(folder / DATABASE), flags=apsw.SQLITE_OPEN_READWRITE)) as db:
        return all_used(db) if db.table_exists(None, "node_use") else {}


def _show(options: argparse.Namespace, rules: TenantRules, used: dict[str, Amount], said: dict[str, Said]) -> None:
    dids = sorted({*used, *said}) if options.action == "list" else [options.did]
    rows = [_row(did, rules, used.get(did, Amount()), said.get(did, Said())) for did in dids]
    if options.json:
        print(json.dumps(rows if options.action == "list" else rows[0], indent=1))
        return
    for row in rows:
        messages, size = (
            f"{row[name]:,}{f' of {most:,}' if (most := row['quota'][name]) else ''} {name}"
            for name in ("messages", "bytes")
        )
        print(f"{row['did']}\n  {row['state']}, {messages}, {size}")


def _row(did: str, rules: TenantRules, used: Amount, said: Said) -> dict[str, Any]:
    served = rules.admission == "open" or said.admitted
    state = "suspended" if said.suspended else "served" if served else "not admitted"
    return {"did": did, "state": state, **asdict(used), "quota": asdict(said.quota(rules.quota))}


async def _delete(stores: Stores, did: str) -> None:
    store = Store(stores.messages)
    store.open()
    keys = await stores.messages.commit(lambda: erase(store, did), makes_room=True, of=did)
    await stores.blobs.delete(keys)


def _amount(text: str) -> int:
    if text in (USUAL, ANY):
        return _USUAL if text == USUAL else 0
    if not text.isdecimal() or not 0 < int(text) < 2**60:
        raise argparse.ArgumentTypeError(f"a quota is a number, {USUAL} or {ANY}")
    return int(text)
