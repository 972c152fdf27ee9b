"""`web5-node tenants`: what the operator sees and says of tenants, while the node runs or not."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import apsw

from web5.cpython.lock import sole_use
from web5.dids.uri import parse_did
from web5.dwn.store.database import Database, open_file
from web5.dwn.store.store import Store
from web5.dwn.values.timestamps import format_timestamp
from web5.errors import InvalidArgument, StorageError
from web5.node.program.commands import tenant_rules
from web5.node.program.settings import NodeSettings
from web5.node.stores import DATABASE, REGISTRY, Stores, name_of, stores_of
from web5.node.tenants.invitations import LONGEST_NOTE, MOST_DAYS, MOST_USES, Invitation, Invitations
from web5.node.tenants.registry import Registry, Said
from web5.node.tenants.tenancy import TenantRules
from web5.node.tenants.use import Amount, all_used, prepare, used
from web5.node.upkeep.tenant import erase_tenant
from web5.ports.clock import SystemClock

USUAL, ANY = "usual", "any"
USES, DAYS = 2, 30
_USUAL = -1

ACTIONS = {
    "list": "list all tenants, what they keep, and what was said of them",
    "show": "show one tenant",
    "allow": "admit a tenant, where `admission` is list",
    "disallow": "admit it no longer",
    "suspend": "serve a tenant no longer, and keep what it has",
    "resume": "serve it again",
    "quota": "give a tenant a quota of its own",
    "delete": "erase all that a tenant has here, after a question; a node with a folder must have ended",
    "invite": "make an invitation, where `admission` is invitation, and print its code",
    "invitations": "list the invitations",
    "revoke": "end an invitation, by its ID; whom it has admitted stays",
}
_OF_A_TENANT = ("show", "allow", "disallow", "suspend", "resume", "quota", "delete")


def add_actions(parser: argparse.ArgumentParser) -> None:
    """Give a parser the actions, and what they take."""
    parser.add_argument("action", choices=ACTIONS, metavar="ACTION", help="; ".join(map(": ".join, ACTIONS.items())))
    parser.add_argument("did", nargs="?", metavar="DID", help="the tenant, where it is about one; for revoke, the ID")
    parser.add_argument("--at", default=None, metavar="PATH", help="the path of the DWN, where there are several")
    parser.add_argument("--bytes", type=_amount, metavar="BYTES", help=f"for quota: a number, {USUAL} or {ANY}")
    parser.add_argument("--messages", type=_amount, metavar="COUNT", help=f"for quota: a number, {USUAL} or {ANY}")
    parser.add_argument(
        "--uses",
        type=partial(_whole, most=MOST_USES),
        default=USES,
        help="for invite: the tenants that it may admit; a person is one for each identity, and one for the agent's own"
        f" records (default: {USES})",
    )
    parser.add_argument(
        "--days",
        type=partial(_whole, most=MOST_DAYS),
        default=DAYS,
        help=f"for invite: its time (default: {DAYS})",
    )
    parser.add_argument("--note", default="", help="for invite: for whom it is")
    parser.add_argument("--yes", action="store_true", help="for delete: do not ask")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")


def run(options: argparse.Namespace, settings: NodeSettings) -> int:
    """Do what the operator asks for.

    Raises:
        InvalidArgument: it cannot be understood.
        StorageError: the data cannot be opened, or are in use where they must not be.
    """
    at = chosen_path(options.at, settings)
    if options.action in _OF_A_TENANT:
        check_did(options.action, options.did)
    elif options.action == "revoke" and not options.did:
        raise InvalidArgument("revoke wants the ID of an invitation: tenants invitations lists them")
    asyncio.run(_in_postgres(options, settings, at) if settings.database else _in_folder(options, settings, at))
    return 0


def chosen_path(at: str | None, settings: NodeSettings) -> str:
    """Return the path of the DWN that a command is about.

    Raises:
        InvalidArgument: there is none, or there are several and none is named.
    """
    at = at or (settings.paths[0] if len(settings.paths) == 1 else None)
    if at is None or at not in settings.paths:
        raise InvalidArgument(f"say which DWN, with --at: {', '.join(settings.paths)}")
    return at


def check_did(command: str, text: str | None) -> None:
    """Raise InvalidArgument unless a text is a DID."""
    if (did := parse_did(text or "")) is None or did.uri != text:
        raise InvalidArgument(f"{command} wants the DID of a tenant, not {text!r}")


async def _in_folder(options: argparse.Namespace, settings: NodeSettings, at: str) -> None:
    assert settings.data is not None
    folder = settings.data / name_of(at)
    if not (folder / DATABASE).exists():
        raise StorageError(f"there is no DWN in {folder}")
    if options.action == "delete":
        with sole_use(settings.data):
            async with stores_of(settings.data, at, s3=settings.s3) as stores:
                await _delete(stores, options)
        return
    database = open_file(folder / REGISTRY)
    try:
        await _see_or_say(options, settings, database, lambda: _used(folder))
    finally:
        await database.close()


async def _in_postgres(options: argparse.Namespace, settings: NodeSettings, at: str) -> None:
    async with stores_of(settings.place, at, make=False, s3=settings.s3) as stores:
        database = stores.messages
        Store(database).open()
        prepare(database)
        if options.action == "delete":
            await _delete(stores, options)
        else:
            await _see_or_say(options, settings, database, lambda: all_used(database.connection))


async def _see_or_say(
    options: argparse.Namespace, settings: NodeSettings, database: Database, amounts: Callable[[], dict[str, Amount]]
) -> None:
    registry, invitations = Registry(database), Invitations(database, SystemClock())
    match options.action:
        case "list" | "show":
            _show(options, tenant_rules(settings), amounts(), registry.everything())
        case "invite":
            await _invite(options, settings, invitations)
        case "invitations":
            _show_invitations(options, invitations.all())
        case "revoke":
            if not await invitations.revoke(options.did):
                raise InvalidArgument(f"there is no invitation {options.did!r}: tenants invitations lists them")
        case _:
            await registry.say(options.did, _changed(options, registry.said(options.did)))


async def _invite(options: argparse.Namespace, settings: NodeSettings, invitations: Invitations) -> None:
    if len(options.note) > LONGEST_NOTE or not options.note.isprintable():
        raise InvalidArgument(f"--note has at most {LONGEST_NOTE} characters, in one line")
    code, one = await invitations.make(options.uses, options.days, options.note)
    if options.json:
        print(json.dumps({"code": code, **asdict(one)}))
        return
    print(code)
    if settings.admission != "invitation":
        print('It admits nobody while admission is not "invitation".', file=sys.stderr)


def _show_invitations(options: argparse.Namespace, found: list[Invitation]) -> None:
    if options.json:
        print(json.dumps([asdict(one) for one in found], indent=1))
        return
    now = SystemClock().now()
    for one in found:
        end = "no end" if one.ends is None else f"until {format_timestamp(one.ends)[:16].replace('T', ' ')} UTC"
        state = "" if (refusal := one.refusal(now)) is None else f", {_STATES[refusal.code]}"
        print(f"{one.id}\n  {one.used} of {one.uses} used, {end}{state}{f', {one.note}' if one.note else ''}")


_STATES = {"InvitationCodeEnded": "ended", "InvitationCodeUsedUp": "used up"}


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


def _show(options: argparse.Namespace, rules: TenantRules, amounts: dict[str, Amount], said: dict[str, Said]) -> None:
    dids = sorted({*amounts, *said}) if options.action == "list" else [options.did]
    rows = [_row(did, rules, amounts.get(did, Amount()), said.get(did, Said())) for did in dids]
    if options.json:
        print(json.dumps(rows if options.action == "list" else rows[0], indent=1))
        return
    for row in rows:
        messages, size = (
            f"{row[name]:,}{f' of {most:,}' if (most := row['quota'][name]) else ''} {name}"
            for name in ("messages", "bytes")
        )
        print(f"{row['did']}\n  {row['state']}, {messages}, {size}")


def _row(did: str, rules: TenantRules, amount: Amount, said: Said) -> dict[str, Any]:
    served = rules.admission == "open" or said.admitted
    state = "suspended" if said.suspended else "served" if served else "not admitted"
    row = {"did": did, "state": state, **asdict(amount), "quota": asdict(said.quota(rules.quota))}
    return row if said.invitation is None else {**row, "invitation": said.invitation}


async def _delete(stores: Stores, options: argparse.Namespace) -> None:
    """Erase a tenant's messages, data and registration; the operator's word about it stays."""
    did, database = options.did, stores.messages
    Store(database).open()
    prepare(database)
    there = used(database.connection, did)
    if not options.yes:
        _ask(f"Erase {there.messages:,} messages, {there.bytes:,} bytes, of\n  {did}\nfor ever?")
    await erase_tenant(stores, did)


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise InvalidArgument("nobody is there to be asked: say --yes if it is to be erased")
    print(f"{question} [yes/no] ", end="", flush=True)
    if sys.stdin.readline().strip().lower() != "yes":
        raise InvalidArgument("nothing was erased; the answer has to be: yes")


def _whole(text: str, most: int) -> int:
    if not text.isdecimal() or not 0 < int(text) <= most:
        raise argparse.ArgumentTypeError(f"it is a number from 1 to {most:,}")
    return int(text)


def _amount(text: str) -> int:
    if text in (USUAL, ANY):
        return _USUAL if text == USUAL else 0
    if not text.isdecimal() or not 0 < int(text) < 2**60:
        raise argparse.ArgumentTypeError(f"a quota is a number, {USUAL} or {ANY}")
    return int(text)
