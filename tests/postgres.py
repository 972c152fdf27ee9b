"""A PostgreSQL server of Debian's package, for the tests: in a folder of its own, on a socket there."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg

from web5_build.environment import scratch
from web5_build.environment.databases import postgres_folder

USER = "web5"
ROOM = 1 << 30
"""Bytes that must be free in memory for a server's folder; it needs a tenth of that."""


class PostgresServer:
    """A server that is started, and ended, by whoever makes it."""

    def __init__(self) -> None:
        self._programs = postgres_folder()
        self._user = "nobody" if os.geteuid() == 0 else None  # it refuses to run as root
        # Not in the folder of the test run, into which only its own user gets.
        folder = scratch.MEMORY if scratch.room() >= ROOM else Path("/tmp")
        self._folder = Path(tempfile.mkdtemp(prefix="web5-pg-", dir=folder))
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        self._run("initdb", "-D", self._data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.start()

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def start(self) -> None:
        """Start it, and return once it answers."""
        options = (
            f"-c listen_addresses='' -c unix_socket_directories={self._folder}"
            " -c max_connections=200 -c shared_buffers=64MB"
        )
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", self._data, "-l", log, "-o", options, "-w", "-t", "30", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast` ends all connections, `immediate` is as a crash."""
        self._run("pg_ctl", "-D", self._data, "-m", mode, "-w", "-t", "30", "stop")

    def close(self) -> None:
        """Stop it, and remove what it has stored."""
        self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def database(self) -> str:
        """Make a database; return its URL."""
        name = f"db_{secrets.token_hex(6)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.url(name)

    @property
    def socket(self) -> str:
        """The path of the socket that it listens at."""
        return str(self._folder / ".s.PGSQL.5432")

    def url(self, name: str, user: str = USER) -> str:
        return f"postgresql://{user}@/{name}?host={self._folder}"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            user=self._user,
            group="nogroup" if self._user else None,
            extra_groups=[] if self._user else None,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,  # the server keeps what it inherits
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=60,
        )
        if done.returncode:
            log = self._folder / "log"
            raise RuntimeError(f"{program} failed: {log.read_text()[-2000:] if log.exists() else done.returncode}")
