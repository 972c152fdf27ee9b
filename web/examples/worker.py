import json

from js import postMessage

from web5 import Web5

SCHEMA = "https://example.org/note"
web5, did = await Web5.connect(name="worker", sync="live")  # in the worker of every tab, the same agent


async def add(text: str) -> None:
    await web5.dwn.records.create(text, schema=SCHEMA)


async for notes in web5.dwn.records.live(schema=SCHEMA):  # now, and after each change, whichever tab made it
    postMessage(json.dumps({"did": did, "notes": [await note.data.text() for note in notes]}))
