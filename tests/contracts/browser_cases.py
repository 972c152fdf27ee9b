"""The port contracts on the browser's adapters, in a worker with Pyodide, on IndexedDB and WebCrypto.

They are collected by the modules that import them and say which browser `page` is in.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.browser.at_rest import stored_by
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
from tests.contracts.chromium_harness import Evaluates, python
from tests.served import served as served_app
from tests.unit.vc.parties import VECTORS, World
from web5.dids.jwk import DidJwk
from web5.dids.resolver import UniversalResolver
from web5.dwn.values.cid import data_cid
from web5.node.serve import open_node
from web5.node.server import create_app
from web5.ports.clock import SystemClock
from web5.vc import jwt

pytestmark = pytest.mark.asyncio(loop_scope="module")

_DATABASE = [*database_contract.CASES, *database_contract.DURABLE_CASES]
SUITES = {
    "pages": pages_contract.CASES,
    "blobs": blobs_contract.CASES,
    "sealer": sealer_contract.CASES,
    "http": http_contract.CASES,
    "guarded_http": http_contract.GUARDED_CASES,
    "websocket": websocket_contract.CASES,
    "clock": clock_contract.CASES,
    "crypto": crypto_contract.CASES,
    "encryption": encryption_contract.CASES,
    "database": _DATABASE,
    "memory_database": _DATABASE,
}
EVERY = [(suite, case.__name__) for suite, cases in SUITES.items() for case in cases]


@pytest.mark.parametrize(("suite", "case"), EVERY, ids=[f"{suite}-{case}" for suite, case in EVERY])
async def test_contract(page: Evaluates, base: str, socket_base: str, suite: str, case: str) -> None:
    await python(page, "run_case", suite, case, f"{suite}.{case}", socket_base if suite == "websocket" else base)


async def test_earlier_versions_of_a_page_are_erased_from_indexeddb(page: Evaluates) -> None:
    before, after = json.loads(await python(page, "overwritten", "overwritten"))
    assert before == [1, 2, 3], "a write is appended to a log"
    assert after == [3]


async def test_a_vault_of_the_browser_is_that_of_its_words_and_keeps_no_old_wrapping(page: Evaluates) -> None:
    words = " ".join(["abandon"] * 11 + ["about"])
    did, refusals, kept, before, after = json.loads(await python(page, "open_vault", "vault", words))
    assert did == "did:dht:qftx7z968xcpfy1a1diu75pg5meap3gdtg6ezagaw849wdh6oubo"
    assert refusals == ["VaultLocked", "WrongPassword"]
    assert kept == "kept"
    assert (before, after) == (True, False)


async def test_an_answer_that_cors_withholds_is_unreachable(page: Evaluates, base: str) -> None:
    assert await python(page, "blocked_by_cors", base) == "Unreachable"


async def test_a_large_file_becomes_a_record_in_little_memory(page: Evaluates) -> None:
    await python(page, "store_a_file", "large file")


async def test_javascript_values_become_records_and_records_a_blob(page: Evaluates) -> None:
    await python(page, "javascript_data", "javascript data")


async def test_records_are_encrypted_in_the_browser(page: Evaluates) -> None:
    await python(page, "store_encrypted", "encrypted")
    stored = await stored_by(page, "encrypted")
    assert b"https://schema.example/letter" in stored
    assert b"a text that nobody else is to read" not in stored


async def test_patterns_know_the_properties_of_characters(page: Evaluates) -> None:
    assert await python(page, "matches", r"^\p{Script=Greek}+$", "αβγ") is True
    assert await python(page, "matches", r"^\p{L}+$", "1") is False


async def test_a_file_that_changed_since_it_was_chosen_is_told(page: Evaluates) -> None:
    if not await python(page, "has_files_of_its_own"):
        pytest.skip("nobody can change a file here, which only a person could choose")
    said = await python(page, "read_a_file_that_changes")
    assert said.startswith("InvalidArgument: reading note.txt failed: ")


async def test_a_path_is_a_file_of_the_interpreter(page: Evaluates) -> None:
    assert await python(page, "read_a_path") == data_cid(b"a note")


async def test_events_that_come_after_a_socket_was_closed_find_nothing(page: Evaluates, socket_base: str) -> None:
    assert await python(page, "errors_of_closed_sockets", socket_base) == []


async def test_a_remote_node_is_subscribed_to_from_a_browser(page: Evaluates, tmp_path: Path) -> None:
    resolver = UniversalResolver([DidJwk()])
    async with open_node(tmp_path, resolver) as (dwn, _), served_app(create_app({"/dwn": dwn})) as url:
        assert json.loads(await python(page, "subscribe_and_write", f"{url}/dwn")) == {"told": True, "found": 1}


async def test_a_browser_tells_a_server_without_websockets_from_one_that_is_down(page: Evaluates, base: str) -> None:
    assert await python(page, "subscribe_error", base) == "NoWebSocket"
    assert await python(page, "subscribe_error", "http://127.0.0.1:9") == "Unreachable"


async def test_a_browser_and_cpython_verify_each_others_credentials(page: Evaluates) -> None:
    world, texts = World(), [vector["jwt"] for vector in VECTORS["credentials"]]
    issued = json.loads(await python(page, "verify_and_issue", json.dumps(texts)))
    world.clock.us = SystemClock().now()
    algorithms = [(await world.verifier.verify(text), jwt.parse(text).algorithm)[1] for text in issued]
    assert algorithms == ["EdDSA", "ES256K", "ES256"]


async def test_a_case_that_fails_is_told(page: Evaluates, base: str) -> None:
    with pytest.raises(Exception, match="AttributeError"):
        await python(page, "run_case", "pages", "no_such_case", "space", base)
