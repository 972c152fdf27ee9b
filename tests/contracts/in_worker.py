"""What the Chromium tests run inside the worker. Arguments and results are plain JSON values."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import js
from pyodide.code import run_js
from pyodide.ffi import to_js

from tests.contracts import (
    blobs_contract,
    clock_contract,
    crypto_contract,
    database_contract,
    encryption_contract,
    http_contract,
    pages_contract,
    sealer_contract,
    websocket_contract,
)
from tests.contracts.archives_in_worker import (  # noqa: F401 (called by their names)
    archive_in_little_memory,
    archive_through_a_stream,
    export_to_blob,
    import_from_blob,
)
from tests.contracts.credentials_in_worker import verify_and_issue  # noqa: F401 (called by its name)
from tests.contracts.memory import MIB, at_most
from tests.contracts.memory_pages import MemoryPages
from tests.contracts.shared_in_worker import (  # noqa: F401 (called by their names)
    ask_node,
    ask_when_closed,
    connect_and_close,
    connect_here,
    disconnect,
    download,
    export,
    first_query,
    follow,
    is_node,
    read_note,
    stall_in,
    texts,
    upload,
    write_note,
)
from web5 import Record, Web5, ecma_regexp
from web5.agent.delegation.actor import Actor
from web5.agent.vault.vault import Vault
from web5.api.records.data import prepare
from web5.browser.crypto import BrowserCrypto
from web5.browser.files import source
from web5.browser.network.guard import GuardedFetchHttp
from web5.browser.network.http import FetchHttp
from web5.browser.network.websocket import BrowserWebSockets
from web5.browser.storage import pages
from web5.browser.storage.blobs import IndexedDbBlobs
from web5.browser.storage.indexeddb import open_database, result
from web5.browser.storage.js_indexeddb import JS_INDEXED_DB
from web5.browser.storage.page_log import decode
from web5.browser.storage.pages import IndexedDbPages
from web5.browser.storage.sealer import DeviceSealer
from web5.browser.tabs import tabs
from web5.browser.tabs.locks import exclusive, hold
from web5.browser.tabs.tab_keys import TabKey
from web5.browser.tabs.tabs import Tabs
from web5.dids import jwk
from web5.dids.keys import signer_for
from web5.dwn import compose
from web5.dwn.store.database import Database
from web5.dwn.store.durable.paged import open_paged
from web5.dwn.values.cid import DataCid, message_cid
from web5.errors import Conflict, Web5Error
from web5.ports.clock import SystemClock
from web5.remote.dwn import RemoteDwn

OBJECTS = {"dict_converter": js.Object.fromEntries}
Run = Callable[[str, str, str], Awaitable[None]]


def _case(module: Any, name: str) -> Any:
    return getattr(module, name)


async def _pages(name: str, space: str, base: str) -> None:
    async def open_store(store: str) -> IndexedDbPages:
        return await IndexedDbPages.open(f"{space}.{store}")

    await _case(pages_contract, name)(open_store)


async def _blobs(name: str, space: str, base: str) -> None:
    async def open_store(store: str) -> IndexedDbBlobs:
        return await IndexedDbBlobs.open(f"{space}.{store}")

    await _case(blobs_contract, name)(open_store)


async def _sealer(name: str, space: str, base: str) -> None:
    async def open_sealer(device: str) -> DeviceSealer:
        return DeviceSealer(f"{space}.{device}")

    await _case(sealer_contract, name)(open_sealer)


async def _http(name: str, space: str, base: str) -> None:
    await _case(http_contract, name)(FetchHttp(), base)


async def _guarded_http(name: str, space: str, base: str) -> None:
    await _case(http_contract, name)(GuardedFetchHttp(), base)


async def _websocket(name: str, space: str, base: str) -> None:
    await _case(websocket_contract, name)(BrowserWebSockets(), base)


async def _clock(name: str, space: str, base: str) -> None:
    await _case(clock_contract, name)(SystemClock())


async def _crypto(name: str, space: str, base: str) -> None:
    await _case(crypto_contract, name)(BrowserCrypto())


async def _encryption(name: str, space: str, base: str) -> None:
    await _case(encryption_contract, name)(BrowserCrypto())


async def _database(name: str, space: str, base: str) -> None:
    async def open_database(store: str) -> Database:
        return await open_paged(await IndexedDbPages.open(f"{space}.{store}"), store)

    await _case(database_contract, name)(open_database)


async def _memory_database(name: str, space: str, base: str) -> None:
    held: dict[str, dict[int, bytes]] = {}

    async def open_database(store: str) -> Database:
        return await open_paged(MemoryPages(held=held.setdefault(store, {})), store)

    await _case(database_contract, name)(open_database)


SUITES: dict[str, Run] = {
    "pages": _pages,
    "blobs": _blobs,
    "sealer": _sealer,
    "http": _http,
    "guarded_http": _guarded_http,
    "websocket": _websocket,
    "clock": _clock,
    "crypto": _crypto,
    "encryption": _encryption,
    "database": _database,
    "memory_database": _memory_database,
}


async def run_case(suite: str, name: str, space: str, base: str) -> None:
    """Run one case of a contract on the browser's adapter; raises what the case raises."""
    await SUITES[suite](name, space, base)


async def blocked_by_cors(base: str) -> str:
    """The error's class for an answer that the browser withholds."""
    try:
        await FetchHttp().request("GET", f"{base}/no-cors", timeout=10)
    except Web5Error as error:
        return type(error).__name__
    return "none"


# -- files that are too large for memory -------------------------------------------------------------------------------


async def store_a_file(space: str) -> None:
    """A file of 64 MiB becomes a record and is read back, in little memory."""
    js_file = js.File.new(
        to_js([_patterned(number) for number in range(64)]), "film.webm", to_js({"type": "video/webm"}, **OBJECTS)
    )
    web5, _ = await Web5.connect(name=space, sync="off", dwn_endpoints=[], did_dht_gateways=["http://127.0.0.1:9/"])
    with at_most(20 * MIB):
        record = await web5.dwn.records.create(source(js_file))
        read = DataCid()
        async for chunk in await record.data.stream():
            read.update(chunk)
    assert read.finish() == (record.data_cid, 64 * MIB)
    assert record.data_format == "video/webm"
    await web5.close()


async def javascript_data(space: str) -> None:
    """JavaScript's values become records, and records a Blob."""
    web5, _ = await Web5.connect(name=space, sync="off", dwn_endpoints=[], did_dht_gateways=["http://127.0.0.1:9/"])
    records = web5.dwn.records
    given = [
        (js.File.new(to_js([_patterned(7)]), "film.webm", to_js({"type": "video/webm"}, **OBJECTS)), "video/webm"),
        (js.Blob.new(to_js(["text"]), to_js({"type": "text/plain"}, **OBJECTS)), "text/plain"),
        (js.Uint8Array.new(to_js([1, 2, 3])), "application/octet-stream"),
        (js.Uint8Array.new(to_js([1, 2, 3])).buffer, "application/octet-stream"),
        (js.JSON.parse('{"a": [1, "ü", null], "b": {"c": true}}'), "application/json"),
        (js.JSON.parse('[1, "ü"]'), "application/json"),
    ]
    made = [await records.create(data) for data, _ in given]
    assert [one.data_format for one in made] == [data_format for _, data_format in given]
    assert await made[0].data.bytes() == bytes([7]) * MIB
    assert await made[1].data.text() == "text"
    assert [await one.data.bytes() for one in made[2:4]] == [b"\1\2\3"] * 2
    assert await made[4].data.json() == {"a": [1, "ü", None], "b": {"c": True}}
    assert await made[5].data.json() == [1, "ü"]
    with at_most(20 * MIB):
        js_blob = await (await records.read(made[0].id)).data.blob()
    assert (js_blob.size, js_blob.type) == (MIB, "video/webm")
    assert (await js_blob.slice(0, 3).arrayBuffer()).to_bytes() == b"\7\7\7"
    await web5.close()


def matches(pattern: str, text: str) -> bool:
    return ecma_regexp.compile(pattern).test(text)


async def store_encrypted(space: str) -> None:
    """A text and a file of 16 MiB become encrypted records and are read back, by a recipient too; in IndexedDB lies no
    plaintext.
    """
    web5, did = await Web5.connect(name=space, sync="off", dwn_endpoints=[], did_dht_gateways=["http://127.0.0.1:9/"])
    bob = await web5.identities.create("bob", dwn_endpoints=[])
    schema, text = "https://schema.example/letter", "a text that nobody else is to read"
    letter = await web5.dwn.records.create(text, schema=schema, recipient=bob.did, encryption=True)
    js_file = js.File.new(to_js([_patterned(number) for number in range(16)]), "film.webm")
    plain = DataCid()
    async for chunk in source(js_file)():
        plain.update(chunk)
    with at_most(20 * MIB):
        film = await web5.dwn.records.create(source(js_file), encryption=True)
        read = DataCid()
        async for chunk in await film.data.stream():
            read.update(chunk)
    cid, size = plain.finish()
    assert read.finish() == (cid, size) == (cid, 16 * MIB)
    assert film.data_cid != cid
    for reader in (did, bob.did):
        read_by = Record(
            web5.agent, Actor(reader, web5.agent.signer), letter.raw_message, data=await _stored(web5, letter)
        )
        assert await read_by.data.text() == text
    await web5.close()
    pages = await IndexedDbPages.open(space)
    stored = list((await pages.load()).values())
    await pages.close()
    assert any(schema.encode() in page for page in stored)
    assert not any(text.encode() in page for page in stored)


async def _stored(web5: Web5, record: Record) -> bytes:
    """A record's data as the DWN has them."""
    found = await web5.agent.dwn.read_stored(web5.connected_did, message_cid(record.raw_message))
    assert found is not None and found.data is not None
    return await found.data.read()


async def read_a_path() -> str:
    """The CID of a file of the interpreter's own, which lies in memory."""
    return (await prepare(_note(), None)).cid


def _note() -> Path:
    path = Path("/tmp/note.txt")
    path.write_bytes(b"a note")
    return path


def has_files_of_its_own() -> bool:
    """Whether scripts can write files here: WebKitGTK has no storage manager in workers."""
    return hasattr(js.navigator, "storage")


async def read_a_file_that_changes() -> str:
    """What reading a file says that was written to after it was chosen."""
    js_folder = await js.navigator.storage.getDirectory()
    js_handle = await js_folder.getFileHandle("note.txt", to_js({"create": True}, **OBJECTS))
    await _write(js_handle, b"as it was chosen")
    chosen = source(await js_handle.getFile())
    assert b"".join([chunk async for chunk in chosen()]) == b"as it was chosen"
    await _write(js_handle, b"as it was written later")
    try:
        return repr(b"".join([chunk async for chunk in chosen()]))
    except Web5Error as error:
        return f"{type(error).__name__}: {error}"


async def _write(js_handle: Any, data: bytes) -> None:
    js_stream = await js_handle.createWritable()
    await js_stream.write(to_js(data))
    await js_stream.close()


def _patterned(number: int) -> Any:
    """1 MiB of a number, in the browser's memory."""
    return js.Uint8Array.new(MIB).fill(number)


async def errors_of_closed_sockets(base: str) -> Any:
    """What the browser reports as uncaught while sockets that are flooded with texts are closed."""
    js_errors = js.Array.new()
    js_report = js.Function.new("errors", "return (event) => errors.push(String(event.message ?? event.reason))")(
        js_errors
    )
    for kind in ("error", "unhandledrejection"):
        js.self.addEventListener(kind, js_report)
    for _ in range(20):
        socket = await BrowserWebSockets().connect(f"{base}/flood")
        await anext(aiter(socket))
        await socket.close()
    last = await BrowserWebSockets().connect(f"{base}/echo")
    await last.send("the events of the others are over")
    await anext(aiter(last))
    await last.close()
    for kind in ("error", "unhandledrejection"):
        js.self.removeEventListener(kind, js_report)
    return js_errors


# -- the vault ---------------------------------------------------------------------------------------------------------


async def open_vault(space: str, words: str) -> str:
    """Make a vault with the device's key, set a password, open it anew; what was seen on the way."""
    database = await open_paged(await IndexedDbPages.open(space))
    vault = _vault(database, space)
    await vault.create(password=None, recovery_phrase=words, dwn_endpoints=[])
    text = await vault.encrypt(b"kept")
    (sealed,) = database.connection.execute("SELECT wrapped FROM vault_key").fetchone()
    before = sealed in await _every_page(space)
    await vault.change_password(None, "a secret")
    after = sealed in await _every_page(space)
    await database.close()

    database = await open_paged(await IndexedDbPages.open(space))
    vault = _vault(database, space)
    refusals = []
    for password in (None, "wrong"):
        try:
            await vault.unlock(password)
        except Web5Error as error:
            refusals.append(type(error).__name__)
    await vault.unlock("a secret")
    told = [vault.agent_did, refusals, (await vault.decrypt(text)).decode(), before, after]
    await database.close()
    return json.dumps(told)


def _vault(database: Database, space: str) -> Vault:
    return Vault(database, DeviceSealer(space), BrowserCrypto())


# -- a remote node -----------------------------------------------------------------------------------------------------


async def subscribe_and_write(endpoint: str) -> str:
    """Subscribe at a node, write to it over HTTP, and close; what was told, and what a query over the socket found."""
    crypto, clock = BrowserCrypto(), SystemClock()
    portable = await jwk.create(crypto)
    signer = await signer_for(portable, crypto)
    remote = RemoteDwn(FetchHttp(), BrowserWebSockets(), timeout=10)
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    subscribe = await compose.messages_subscribe(signer, clock)
    subscription = await remote.subscribe(endpoint, portable.uri, subscribe, told.put_nowait)
    message = await compose.records_write(signer, clock, data=b"text", data_format="text/plain")
    await remote.process_message(endpoint, portable.uri, message, b"text")
    event = await asyncio.wait_for(told.get(), 10)
    query = await compose.messages_query(signer, clock)
    found = await remote.process_message(endpoint, portable.uri, query)
    await subscription.close()
    await subscription.ended()
    return json.dumps({"told": event["message"] == message, "found": len(found["entries"])})


async def subscribe_error(endpoint: str) -> str:
    """The class of the error that subscribing at an endpoint ends with."""
    remote = RemoteDwn(FetchHttp(), BrowserWebSockets(), timeout=10)
    try:
        await remote.subscribe(endpoint, "did:x:y", {}, lambda event: None)
    except Web5Error as error:
        return type(error).__name__
    return "none"


# -- a tab that is killed in a burst of commits ------------------------------------------------------------------------


_pages: dict[str, IndexedDbPages] = {}


async def _open_notes(space: str) -> Database:
    _pages[space] = await IndexedDbPages.open(space)
    database = await open_paged(_pages[space])
    database.migrate(
        "notes", ["CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT); CREATE INDEX by_text ON note (text)"]
    )
    await database.flush()
    return database


async def burst(space: str, writers: int) -> None:
    """Write rows for ever, from several writers at once; tell each id once its flush has returned."""
    database = await _open_notes(space)
    (last,) = database.connection.execute("SELECT coalesce(max(id), 0) FROM note").fetchone()
    numbers = iter(range(last + 1, 1 << 30))

    async def write() -> None:
        for number in numbers:
            with database.transaction() as db:
                db.execute("INSERT INTO note VALUES (?, ?)", (number, os.urandom(500).hex()))
            await database.flush()
            js.tell(str(number))

    await asyncio.gather(*(write() for _ in range(writers)))


async def survivors(space: str) -> str:
    """The ids that are stored, and what SQLite says of the whole."""
    database = await _open_notes(space)
    ids = [row[0] for row in database.connection.execute("SELECT id FROM note ORDER BY id")]
    check = database.connection.execute("PRAGMA integrity_check").fetchall()
    await database.close()
    return json.dumps({"ids": ids, "check": check[0][0]})


async def put_for_ever(space: str) -> None:
    """Store a blob that has no end; tell when some chunks of it are stored."""
    blobs = await IndexedDbBlobs.open(space)

    async def endless() -> Any:
        for number in range(1 << 30):
            yield bytes(1 << 20)
            if number == 3:
                js.tell("chunks are stored")

    await blobs.put("endless", endless())


async def stored_chunks(space: str) -> int:
    """How many chunks lie in IndexedDB, whoever they belong to."""
    database = await open_database(f"{space}.blobs", [])
    chunks = await database.read_keys("chunks", "counting chunks")
    database.close()
    return len(chunks)


async def blob_keys(space: str) -> str:
    """The keys of all whole blobs."""
    blobs = await IndexedDbBlobs.open(space)
    keys = sorted(await blobs.keys())
    await blobs.close()
    return json.dumps(keys)


# -- a store that is full, or that is taken away -----------------------------------------------------------------------

_databases: dict[str, Database] = {}


async def open_notes(space: str) -> None:
    _databases[space] = await _open_notes(space)


async def note(space: str, number: int, size: int) -> str:
    """Store a row; "stored", or the error's class."""
    text = os.urandom(size // 2).hex()
    return await _changed(space, "INSERT INTO note VALUES (?, ?)", (number, text))


async def remove_note(space: str, number: int) -> str:
    """Delete a row, and add one that says so; "stored", or the error's class."""
    deleted = await _changed(space, "DELETE FROM note WHERE id = ?", (number,), makes_room=True)
    added = await _changed(
        space, "INSERT OR REPLACE INTO note VALUES (?, ?)", (-number, "deleted" * 50), makes_room=True
    )
    return deleted if deleted == added else f"{deleted} {added}"


async def _changed(space: str, statement: str, values: tuple[Any, ...], *, makes_room: bool = False) -> str:
    database = _databases[space]
    try:
        await database.commit(lambda: database.connection.execute(statement, values), makes_room=makes_room)
    except Web5Error as error:
        return type(error).__name__
    return "stored"


async def reserved(space: str) -> None:
    """Have the store keep its room at once, and return when it does."""
    seconds, pages.RESERVE_SECONDS = pages.RESERVE_SECONDS, 0.0
    assert await note(space, 0, 10) == "stored"
    if (keeping := _pages[space]._keeping) is not None:
        await keeping
    assert _pages[space]._kept
    pages.RESERVE_SECONDS = seconds


def health(space: str) -> str:
    """What is wrong with the store, and how often it has lost everything."""
    found = _databases[space].health
    return json.dumps([found.trouble and found.trouble.kind, found.losses])


async def healthy(space: str, losses: int) -> None:
    """Return once the store has lost everything so often, and nothing is wrong."""
    found = _databases[space].health
    changed = asyncio.Event()
    found.on_changed.append(changed.set)
    while found.trouble or found.losses < losses:
        changed.clear()
        await changed.wait()


def close_connection(space: str) -> None:
    """Close the connection as a browser does that closes one by itself."""
    js_database = _pages[space]._database._js_database
    js_database.close()
    js_database.dispatchEvent(js.Event.new("close"))


async def blob_after_close(space: str) -> str:
    """A blob that is put and read, with the connection closed before, between and meanwhile."""
    blobs = await IndexedDbBlobs.open(space)

    def close() -> None:
        js_database = blobs._database._js_database
        js_database.close()
        js_database.dispatchEvent(js.Event.new("close"))

    async def pieces() -> Any:
        for number in range(4):
            yield bytes([number]) * (1 << 20)
            if number == 2:
                close()

    close()
    await blobs.put("key", pieces())
    close()
    sizes = [chunk[0] async for chunk in blobs.get("key")]
    close()
    keys = sorted(await blobs.keys())
    close()
    await blobs.delete(["key"])
    await blobs.close()
    return json.dumps([sizes, keys])


async def flush(space: str) -> str:
    """ "stored", or the error's class."""
    try:
        await _databases[space].flush()
    except Web5Error as error:
        return type(error).__name__
    return "stored"


async def put(space: str, key: str, size: int) -> str:
    """Store a blob; "stored", or the error's class."""
    blobs = await IndexedDbBlobs.open(space)

    async def pieces() -> Any:
        for _ in range(size >> 20):
            yield os.urandom(1 << 20)

    try:
        await blobs.put(key, pieces())
    except Web5Error as error:
        return type(error).__name__
    finally:
        await blobs.close()
    return "stored"


async def overwritten(space: str) -> str:
    """Which fillings of a page lie in IndexedDB after it was written three times, and once that was erased."""
    opened = await IndexedDbPages.open(space)
    await opened.load()
    for filling in (1, 2, 3):
        await opened.write({0: bytes([filling]) * opened.page_size, 1: bytes(opened.page_size)}, 2)
    before = await _fillings(space)
    await opened.erase()
    after = await _fillings(space)
    await opened.close()
    return json.dumps([before, after])


async def _fillings(space: str) -> list[int]:
    return sorted(set(await _every_page(space)) - {0})


async def _every_page(space: str) -> bytes:
    """All versions of all pages that a script finds in IndexedDB."""
    database = await open_database(f"{space}.pages", [], version=4)
    (js_records,) = await result(database.ask("log", ("getAll",)), "reading all records")
    records = [decode(js_record.to_bytes()) for js_record in js_records]
    stored = b"".join(record.data[record.begin :] for record in records)
    database.close()
    return stored


async def indexed_db_functions() -> str:
    """The JavaScript that reads and writes IndexedDB."""
    return JS_INDEXED_DB


async def close_notes(space: str) -> None:
    await _databases.pop(space).close()


async def upgrade_database(name: str) -> None:
    """Do what a newer version of the site does first with a database whose layout it changes."""
    (await open_database(name, [], version=99)).close()


_REMOVE = """(name) => new Promise((resolve, reject) => {
  const request = indexedDB.deleteDatabase(name);
  request.onsuccess = () => resolve();
  request.onerror = () => reject(new Error(request.error.message));
})"""


async def remove_database(name: str) -> None:
    await run_js(_REMOVE)(name)


# -- tabs --------------------------------------------------------------------------------------------------------------

_tabs: dict[str, Tabs] = {}
_leading: set[str] = set()
_owned: dict[str, Callable[[], None]] = {}
_closing: dict[str, asyncio.Event] = {}
_going_on: dict[str, asyncio.Event] = {}
_never = asyncio.Event()


SHARED = frozenset({"greet", "refuse", "stall"})
_titles: dict[str, str] = {}
_steps: set[asyncio.Future[None]] = set()


def join(name: str, more: str = "", hands_over: bool = True, version: int = 0) -> None:
    """Take part; `lead` then waits for this tab's turn.

    Parameters:
        more: another call that this tab believes to be shared.
        hands_over: False for a tab that keeps the lead.
        version: of the program that it seems to run.
    """

    def hand_over() -> None:
        _steps.add(asyncio.ensure_future(_step_back(name, hands_over)))

    _tabs[name] = Tabs(name, SHARED | {more}, hand_over, version)


async def _step_back(name: str, hands_over: bool) -> None:
    js.tell("asked to hand over")
    if not hands_over:
        return

    async def close() -> None: ...

    await _tabs[name].resign(close)
    _leading.discard(name)
    await lead(name, _titles[name])


async def lead(name: str, title: str) -> None:
    """Return once this tab leads and serves as `title`."""
    mine = _tabs[name]
    _titles[name] = title
    await mine.lead()
    _leading.add(name)

    async def handler(call: str, args: str) -> str:
        if call == "refuse":
            raise Conflict("TestConflict", "no")
        if call == "stall" and json.loads(args) == title:
            js.tell("stalling")
            await _never.wait()
        return json.dumps([title, call, json.loads(args)])

    await mine.serve(handler)


async def make_tab_keys(count: int) -> None:
    """Every one is made, whatever the browser's own maker of keys does."""
    assert len({(await TabKey.make()).name for _ in range(count)}) == count


async def claim(name: str) -> str:
    """Say to lead, and hold the lock that shows a leader's key, without being the leader."""
    key = await TabKey.make()
    _owned[name] = await hold(f"{name}.leader.{key.name}.0.1")
    js_channel = js.BroadcastChannel.new(f"{name}.tabs")
    js_channel.postMessage(json.dumps({"kind": "leading", "from": key.name}))
    js_channel.close()
    return key.name


def linger(name: str) -> None:
    """Once a lock shows that this tab leads, tell so, and go on only after `go_on`."""
    going_on = _going_on[name] = asyncio.Event()

    async def hold_long(lock: str, *rest: Any) -> Callable[[], None]:
        release = await hold(lock, *rest)
        if lock.startswith(f"{name}.leader."):
            js.tell("shown")
            await going_on.wait()
        return release

    tabs.hold = hold_long


def go_on(name: str) -> None:
    tabs.hold = hold
    _going_on.pop(name).set()


def be_patient(seconds: float) -> None:
    """Wait so long for another tab that is to hand over."""
    tabs.PATIENCE = seconds


def leads(name: str) -> bool:
    return name in _leading


async def call(name: str, what: str, args: str, idempotent: bool) -> str:
    """The answer, or the error's class and text."""
    try:
        return await _tabs[name].call(what, args, idempotent=idempotent)
    except Web5Error as error:
        return f"{type(error).__name__}: {error}"


async def superseded(name: str) -> None:
    """Return once a newer version has led."""
    await _tabs[name].superseded()


async def leave(name: str) -> None:
    await _tabs[name].close()
    _leading.discard(name)


async def resign(name: str) -> None:
    """Let another tab lead; `closed` says when the store is closed."""

    async def close() -> None:
        closed = _closing[name] = asyncio.Event()
        js.tell("closing")
        await closed.wait()

    await _tabs[name].resign(close)
    _leading.discard(name)


def closed(name: str) -> None:
    """The store of a tab that resigns is closed now."""
    _closing.pop(name).set()


async def own(name: str, patience: float) -> str:
    """Become a store's only owner; "owned", or the error's class and text."""
    try:
        _owned[name] = await exclusive(name, patience)
    except Web5Error as error:
        return f"{type(error).__name__}: {error}"
    return "owned"


def disown(name: str) -> None:
    _owned.pop(name)()


# -- figures -----------------------------------------------------------------------------------------------------------


async def measure(space: str) -> str:
    """Milliseconds: a durable commit, a row when 100 share a flush, loading, the newest 20 of all rows."""
    database = await _open_notes(space)
    figures: dict[str, float] = {}
    number = 0

    def insert() -> None:
        nonlocal number
        number += 1
        with database.transaction() as db:
            db.execute("INSERT INTO note VALUES (?, ?)", (number, os.urandom(500).hex()))

    async def write() -> None:
        insert()
        await database.flush()

    figures["durable commit"] = await _median(write, 150)
    figures["a row of 100 in a flush"] = await _median(lambda: asyncio.gather(*(write() for _ in range(100))), 10) / 100
    while number < 4000:
        await asyncio.gather(*(write() for _ in range(500)))
    await database.close()

    async def load() -> None:
        opened = await IndexedDbPages.open(space)
        figures["pages"] = len(await opened.load())
        await opened.close()

    figures["load"] = await _median(load, 5)
    database = await open_paged(await IndexedDbPages.open(space))

    async def query() -> None:
        for _ in range(100):
            database.connection.execute("SELECT * FROM note ORDER BY id DESC LIMIT 20").fetchall()

    figures["newest 20"] = await _median(query, 5) / 100
    await database.close()
    return json.dumps(figures)


async def _median(step: Callable[[], Awaitable[Any]], times: int) -> float:
    spans = []
    for _ in range(times):
        started = time.perf_counter()
        await step()
        spans.append((time.perf_counter() - started) * 1000)
    return statistics.median(spans)
