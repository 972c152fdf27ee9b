"""What is said of a database that will not do, at the start; and which of several processes makes the tables."""

from __future__ import annotations

import asyncio
import secrets

import psycopg
import pytest

from tests.postgres import PostgresServer
from tests.unit.dwn.conftest import World
from web5.dwn.values.cid import message_cid
from web5.errors import StorageError, StorageNewer
from web5.node.postgres.opening import open_postgres
from web5.node.postgres.schema import COMPONENTS
from web5.node.stores import COMPONENTS as THEIRS


def test_every_component_has_as_many_steps_as_in_sqlite() -> None:
    assert {name: len(COMPONENTS[name]) for name in THEIRS} == {name: len(steps) for name, steps in THEIRS.items()}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda url: url.replace("host=/", "host=/nowhere/"), "cannot be reached"),
        (lambda url: url.replace("/db_", "/no_"), "there is no such database.*make it with createdb"),
        (lambda url: url.replace("web5@", "nobody@"), "role .nobody. does not exist"),
        (lambda url: url + "&sslmode=odd", "cannot be"),
    ],
)
def test_what_cannot_be_reached_says_why(url: str, change, words: str) -> None:
    with pytest.raises(StorageError, match=words):
        open_postgres(change(url), "web5_x")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('FATAL:  Peer authentication failed for user "web5"', "createuser, and name none: postgresql:///NAME"),
        ('FATAL:  password authentication failed for user "web5"', "the right password into ~/.pgpass"),
        ("fe_sendauth: no password supplied", "the password into ~/.pgpass"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "web5"', "has to name this machine"),
    ],
)
def test_who_is_not_let_in_is_told_the_way(said: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of PostgreSQL 15, of whose ways in the tests' server has one alone."""

    def refused(*_: object, **__: object) -> None:
        raise psycopg.OperationalError(f"connection failed: connection to server on socket failed: {said}")

    monkeypatch.setattr(psycopg, "connect", refused)
    with pytest.raises(StorageError, match=f"does not let this node in.*{words}"):
        open_postgres("postgresql://web5@/web5", "web5_x")


async def test_a_user_without_rights_is_told_what_he_needs(server: PostgresServer, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE guest LOGIN")
    with pytest.raises(StorageError, match="GRANT CREATE ON DATABASE"):
        open_postgres(url.replace("web5@", "guest@"), "web5_new")


async def test_a_newer_version_s_data_are_refused(url: str, schema: str) -> None:
    database = open_postgres(url, schema)
    database.migrate("dwn", ())
    database.connection.execute("UPDATE component SET version = 1000 WHERE name = 'dwn'")
    await database.close()
    with pytest.raises(StorageNewer, match="dwn has version 1000"):
        open_postgres(url, schema)


async def test_whoever_is_first_makes_the_tables(url: str, schema: str) -> None:
    databases = [open_postgres(url, schema, most=1) for _ in range(4)]
    await asyncio.gather(*(asyncio.to_thread(one.migrate, "dwn", ()) for one in databases))
    [(version,)] = databases[0].connection.execute("SELECT version FROM component WHERE name = 'dwn'")
    assert version == len(COMPONENTS["dwn"])
    for one in databases:
        await one.close()


async def test_odd_texts_are_stored_and_too_long_ones_refused(world: World) -> None:
    odd = "https://schema.example/\0 ä\x01"
    message = await world.compose(schema=odd)
    assert await world.status(message, b"hello") == (202, "Accepted")
    assert await world.query(by=world.alice, schema=odd) == [message["recordId"]]
    too_long = await world.compose(schema=f"https://schema.example/{secrets.token_hex(5000)}")
    code, _ = await world.status(too_long, b"hello")
    assert code == 400
    assert await world.log() == [message_cid(message)]
