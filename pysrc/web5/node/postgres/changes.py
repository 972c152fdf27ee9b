"""The word from process to process that a tenant's log has grown: LISTEN and NOTIFY, with a poll behind it.

It is sent after the commit, not in it: PostgreSQL commits transactions that notify one after the other. What is lost
with a process or a connection, the next poll finds.
"""

from __future__ import annotations

import asyncio
import secrets

import psycopg
from psycopg import sql

from web5.dwn.shared_log import SharedLog
from web5.errors import StorageError
from web5.node.postgres.connections import NAME, conninfo
from web5.node.postgres.database import PostgresDatabase
from web5.tasks import report

POLL_SECONDS = 5.0
"""Time between two looks at the log, whatever was heard."""

RETRY_SECONDS = 1.0

_LONGEST = 7_000
"""Bytes of a payload; PostgreSQL takes 8,000."""

_END = "\n"


class Changes:
    """Tells other processes what this one has stored, and hears what they have.

    Parameters:
        log: the log of the same database.
    """

    def __init__(self, database: PostgresDatabase, log: SharedLog) -> None:
        self._database = database
        self._log = log
        self._me = secrets.token_hex(8)
        self._news: set[str] = set()
        self._sending: asyncio.Task[None] | None = None
        log.on_grown.append(self._tell)

    async def run(self) -> None:
        """Listen until cancelled."""
        try:
            while True:
                try:
                    await self._listen()
                except (psycopg.Error, OSError):  # it is away: requests say so
                    await asyncio.sleep(RETRY_SECONDS)
                except Exception as error:
                    report("other processes are not heard", error)
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            if self._sending is not None:
                self._sending.cancel()

    async def _listen(self) -> None:
        info = conninfo(self._database.url, None, name=f"{NAME} listens", limited=False)
        async with await psycopg.AsyncConnection.connect(info, autocommit=True) as connection:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._database.schema)))
            while True:
                await self._log.poll()  # also for what was said before we listened
                async for notice in connection.notifies(timeout=POLL_SECONDS):
                    sender, _, tenants = notice.payload.partition(_END)
                    if sender != self._me:
                        self._log.grown(tenants.split(_END))
                await connection.execute("SELECT 1")  # is it still there?

    def _tell(self, tenant: str) -> None:
        if len(tenant.encode()) < _LONGEST // 2:
            self._news.add(tenant)
            if self._sending is None or self._sending.done():
                self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        while self._news:
            text = self._me
            while self._news and len(text) < _LONGEST // 2:
                text += _END + self._news.pop()
            try:
                await self._database.off_the_loop(lambda text=text: self._notify(text))  # type: ignore[misc]
            except StorageError as error:  # they poll
                report("other processes were not told of what is new", error)

    def _notify(self, text: str) -> None:
        self._database.connections.execute("SELECT pg_notify(?, ?)", (self._database.schema, text))
