"""The commands of the program, each from its options to its exit status."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from web5.agent.agent import Agent
from web5.archive.exporting import export_archive
from web5.archive.identity_files import check_keys
from web5.archive.importing import import_archive
from web5.archive.taking import ImportReport, open_archive
from web5.cli.opening import chosen, opened
from web5.cli.status import shown, state_of
from web5.cli.terminal import Bar, count, password, size
from web5.errors import ArchiveError, InvalidArgument, VaultLocked
from web5.platform import byte_sink, byte_source

INCOMPLETE = 3
"""The exit status where a part could not be exported, or was not taken."""

ARCHIVE_PASSWORD = "WEB5_ARCHIVE_PASSWORD"


async def export(options: argparse.Namespace) -> int:
    """Write an archive."""
    if options.file.exists() and not options.force:
        raise InvalidArgument(f"{options.file} is there already: name another file, or write over it with --force.")
    bar = Bar()
    async with opened(options.data, options.gateway) as agent:
        did = chosen(agent, options.did).did
        secret = None
        if options.keys == "encrypted":
            secret = password(ARCHIVE_PASSWORD, "Password for the keys in the archive", twice=True)
        check_keys(options.keys, secret)
        sink = await byte_sink(options.file)
        try:
            report = await export_archive(agent, did, sink, keys=options.keys, password=secret, on_progress=bar)
        finally:
            bar.end()
    print(f"{options.file} has {count(report.messages, 'message')} and {size(report.data_bytes)} of large data.")
    if report.left_out:
        print(f"{count(len(report.left_out), 'message')} could not be read here, so not exported: sync, and try again.")
        return INCOMPLETE
    return 0


async def take(options: argparse.Namespace) -> int:
    """Take in an archive."""
    source = await byte_source(options.file)
    try:  # before an agent is made
        _, manifest, _ = await open_archive(source)
    finally:
        await source.close()
    if options.did not in (None, manifest.did):
        raise ArchiveError("", f"this is an archive of {manifest.did}")
    async with opened(options.data, options.gateway, make=True) as agent:
        was_empty = not agent.identities.list()
        report = await _import(agent, options)
        if was_empty:
            await agent.identities.choose(report.did)
            if (phrase := await agent.vault.recovery_phrase()) is not None:
                print(f"A new agent keeps it in {options.data}. Write down the words that bring it back:\n  {phrase}")
    print(f"{report.did}: {report.taken:,} of {count(report.messages, 'message')} taken, {report.there:,} were here.")
    for one in report.refusals:
        print(f"  not taken: {one.message_cid}: {one.reason}")
    if report.refused > len(report.refusals):
        print(f"  and {report.refused - len(report.refusals):,} others")
    for name in report.damaged:
        print(f"  broken: {name}")
    return 0 if report.complete else INCOMPLETE


async def _import(agent: Agent, options: argparse.Namespace) -> ImportReport:
    secret, bar = None, Bar()
    while True:
        source = await byte_source(options.file)
        try:
            return await import_archive(
                agent, source, password=secret, skip_damaged=options.skip_damaged, on_progress=bar
            )
        except VaultLocked:
            if secret is not None:
                raise
            secret = password(ARCHIVE_PASSWORD, "Password for the keys in the archive")
        finally:
            bar.end()


async def status(options: argparse.Namespace) -> int:
    """Say what is where."""
    async with opened(options.data, options.gateway) as agent:
        if options.did is not None:
            chosen(agent, options.did)
        state = await state_of(agent, options.data, options.did)
    print(shown(state, as_json=options.json))
    return 0


COMMANDS: Mapping[str, Callable[[argparse.Namespace], Coroutine[Any, Any, int]]] = {
    "export": export,
    "import": take,
    "status": status,
}
