"""Archives in the worker of a browser: to a Blob, a stream and a file of the origin, and back."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import js
from pyodide.ffi import JsException, to_js

from tests.contracts.memory import MIB, at_most
from web5 import Web5
from web5.browser.files import source
from web5.dwn.values.cid import DataCid
from web5.errors import InvalidArgument

PASSWORD = "eight or more"
OBJECTS = {"dict_converter": js.Object.fromEntries}


async def _connect(name: str) -> Web5:
    connection = await Web5.connect(name=name, sync="off", dwn_endpoints=[], did_dht_gateways=["http://127.0.0.1:9/"])
    return connection.web5


def _film(mebibytes: int) -> Any:
    parts = [js.Uint8Array.new(MIB).fill(number) for number in range(mebibytes)]
    return js.File.new(to_js(parts), "film.webm", to_js({"type": "video/webm"}, **OBJECTS))


async def export_to_blob(space: str) -> str:
    """An identity with a note, an encrypted one and a film, exported; its DID and the archive, in base64."""
    web5 = await _connect(space)
    await web5.dwn.records.create("a note", schema="https://example.org/note")
    await web5.dwn.records.create("12-34-56", schema="https://example.org/lock", encryption=True)
    await web5.dwn.records.create(source(_film(2)), schema="https://example.org/film")
    report = await web5.export(password=PASSWORD)
    archive = (await report.blob.arrayBuffer()).to_bytes()
    kind, did = report.blob.type, web5.connected_did
    await web5.close()
    return json.dumps({"did": did, "type": kind, "messages": report.messages, "archive": b64encode(archive).decode()})


async def import_from_blob(space: str, archive: str) -> str:
    """The archive, imported by another agent; what its identity reads then."""
    web5 = await _connect(space)
    js_blob = js.Blob.new(to_js([to_js(b64decode(archive))]))
    report = await web5.import_(js_blob, password=PASSWORD)
    there = (await web5.use(report.did)).dwn.records
    [note], [lock], [film] = [
        await there.query(schema=f"https://example.org/{kind}") for kind in ("note", "lock", "film")
    ]
    read = DataCid()
    async for chunk in await film.data.stream():
        read.update(chunk)
    found = {
        "did": report.did,
        "taken": report.taken,
        "complete": report.complete,
        "texts": [await note.data.text(), await lock.data.text()],
        "film": [read.finish() == (film.data_cid, 2 * MIB), film.data_format],
        "again": (await web5.import_(js_blob)).there,
    }
    await web5.close()
    return json.dumps(found)


async def archive_in_little_memory(space: str) -> None:
    """A film of 64 MiB goes into a file of the origin and comes back from it, in little memory."""
    web5 = await _connect(f"{space}.from")
    await web5.dwn.records.create(source(_film(64)), schema="https://example.org/film")
    js_folder = await js.navigator.storage.getDirectory()
    js_handle = await js_folder.getFileHandle(f"{space}.zip", to_js({"create": True}, **OBJECTS))
    with at_most(24 * MIB):
        await web5.export(js_handle, keys="plain")
    did = web5.connected_did
    await web5.close()
    other = await _connect(f"{space}.to")
    with at_most(24 * MIB):
        report = await other.import_(js_handle)
    assert report.complete and report.did == did
    [film] = await (await other.use(did)).dwn.records.query(schema="https://example.org/film")
    assert film.data_size == 64 * MIB
    await other.close()
    await js_folder.removeEntry(f"{space}.zip")


async def archive_through_a_stream(space: str) -> None:
    """A WritableStream gets the archive and is closed; it is aborted if the export fails. Other values are refused."""
    web5 = await _connect(space)
    await web5.dwn.records.create("a note", schema="https://example.org/note")
    js_pipe = js.TransformStream.new()
    js_read = js.Response.new(js_pipe.readable).arrayBuffer()
    await web5.export(js_pipe.writable, keys="none")
    archive = (await js_read).to_bytes()
    assert archive.startswith(b"PK\3\4")
    report = await web5.import_(js.File.new(to_js([to_js(archive)]), "me.zip"))
    assert (report.taken, report.there) == (0, 1)

    def fail(step: str, done: int, total: int) -> None:
        raise ValueError("the app's own")

    js_other = js.TransformStream.new()
    js_reading = js.Response.new(js_other.readable).arrayBuffer()
    try:
        await web5.export(js_other.writable, keys="none", on_progress=fail)
        raise AssertionError("it did not fail")
    except ValueError:
        pass
    ended_well = True
    try:
        await js_reading
    except JsException:
        ended_well = False
    assert not ended_well
    for call in (lambda: web5.export(js.Object.new(), keys="none"), lambda: web5.import_(js.Object.new())):
        try:
            await call()
            raise AssertionError("it was taken")
        except InvalidArgument as error:
            assert "[object Object]" in str(error)
    await web5.close()
