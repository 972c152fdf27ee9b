"""Our engine in a PyScript worker, on IndexedDB and WebCrypto, for tests/bench/engine."""

import json

from steps import Steps

from web5.browser.crypto import BrowserCrypto
from web5.browser.storage.blobs import IndexedDbBlobs
from web5.browser.storage.pages import IndexedDbPages
from web5.dwn.store.durable.paged import open_paged


async def open_parts(name: str) -> dict:
    return {
        "database": await open_paged(await IndexedDbPages.open(name), name),
        "blobs": await IndexedDbBlobs.open(name),
        "crypto": BrowserCrypto(),
    }


steps = Steps(open_parts)


async def call(name: str, args: str) -> str:
    """One step; arguments and result as JSON."""
    return json.dumps(await getattr(steps, name)(**json.loads(args)))


__export__ = ["call"]
