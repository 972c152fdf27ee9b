"""Messages with false signatures leave next to nothing in a node's memory, whatever is in them."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.contracts.memory import MIB
from tests.unit.dwn.persons import Person, SteppingClock, our_engine, person
from web5.crypto.encoding import b64url_encode
from web5.dwn import compose

CLOCK = SteppingClock()
MESSAGES = 120
LARGE = 200_000


async def _asked_by(alice: Person, kid: str) -> Any:
    query = await compose.records_query(alice.signer, CLOCK, filter={"schema": "https://x.example/"})
    header = b64url_encode(json.dumps({"alg": "EdDSA", "kid": kid}).encode())
    query["authorization"]["signature"]["signatures"][0]["protected"] = header
    return query


async def large_key(alice: Person, number: int) -> Any:
    """A did:jwk of 8 kB whose document takes 130 kB."""
    key = f'{{"kty":"OKP","crv":"Ed25519","x":"{number:043d}","a":[{",".join(["[]"] * 1900)}]}}'
    return await _asked_by(alice, f"did:jwk:{b64url_encode(key.encode())}#0")


async def large_header(alice: Person, number: int) -> Any:
    return await _asked_by(alice, f"did:jwk:e30#{number}{'x' * LARGE}")


async def large_did(alice: Person, number: int) -> Any:
    return await _asked_by(alice, f"did:web:{number}.example:{'x' * LARGE}#0")


async def large_url(alice: Person, number: int) -> Any:
    schema = f"https://x.example/{number}{'x' * LARGE}"
    write = await compose.records_write(alice.signer, CLOCK, data=b"x", data_format="text/plain", schema=schema)
    write["authorization"]["signature"]["signatures"][0]["signature"] = "A" * 86
    return write


@pytest.mark.parametrize("make", [large_key, large_header, large_did, large_url], ids=lambda make: make.__name__)
async def test_memory_after_many_messages(make: Callable[[Person, int], Awaitable[Any]]) -> None:
    alice, dwn = await person(), await our_engine(CLOCK)

    async def send(number: int) -> None:
        reply = await dwn.process_message(alice.did, await make(alice, number), b"x")
        assert reply["status"]["code"] in (400, 401)

    await send(0)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(1, MESSAGES):
            await send(number)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 3 * MIB
