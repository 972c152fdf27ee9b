"""Strangers' bodies and parameters: no bytes make a node fail, or keep anything of what it did not take."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.security.examples import examples
from tests.unit.node.nodes import Served
from tests.unit.node.tenants.test_tenancy import Node
from web5.dwn.wire import rpc
from web5.dwn.wire.rpc_body import CONTENT_TYPE, encode_head
from web5.node.tenants.registry import Quota
from web5.node.tenants.tenancy import TenantRules

EXAMPLES = 200


@pytest.fixture
async def served(tmp_path: Path) -> Served:
    return await Served.start(tmp_path)


def strange_bodies(good: bytes) -> st.SearchStrategy[bytes]:
    """Bytes that have nothing to do with a request, and requests of which some are others, too many or too few."""
    cut = st.integers(0, len(good)).map(lambda end: good[:end])
    changed = st.tuples(st.integers(0, len(good) - 1), st.binary(min_size=1, max_size=5)).map(
        lambda at: good[: at[0]] + at[1] + good[at[0] + len(at[1]) :]
    )
    return st.one_of(st.binary(max_size=200), cut, changed, st.binary(min_size=1, max_size=50).map(good.__add__))


async def test_a_body_of_any_bytes_is_answered_and_leaves_nothing(served: Served) -> None:
    """A change of the data is one of its CID, so that nothing but the message as it was signed is ever stored."""
    message = await served.message(b"data")
    good = encode_head(rpc.encode_request(served.did, message).encode(), has_data=True) + b"data"
    loop, statuses = asyncio.get_running_loop(), set()

    async def send(body: bytes) -> None:
        answer = await served.post(headers={"content-type": CONTENT_TYPE}, content=body)
        statuses.add(answer.status_code)
        reply = rpc.parse_response(answer.content)
        assert reply["status"]["code"] in (202, 204, 400, 401, 404, 409, 413, 501)

    @examples(EXAMPLES)
    @given(strange_bodies(good))
    def run(body: bytes) -> None:
        asyncio.run_coroutine_threadsafe(send(body), loop).result()

    await asyncio.to_thread(run)
    assert statuses <= {200, 400, 413, 501}
    await send(good)
    reply = await served.read("/dwn0", message["recordId"])
    assert await reply["entry"]["data"].read() == b"data"
    assert await served.record_count("/dwn0") == 1
    assert await served.blobs[0].keys() == set()


async def test_a_path_and_parameters_of_any_text_are_answered(served: Served) -> None:
    loop = asyncio.get_running_loop()
    names = st.text(max_size=30) | st.sampled_from(["filter.schema", "filter", "pagination.limit", "dateSort", "a.b"])
    values = st.text(max_size=30) | st.sampled_from(["1", "true", "https://a.example/", "{}", "\x00"])

    async def ask(path: str, parameters: list[tuple[str, str]]) -> None:
        answer = await served.client.get(f"/dwn0/{served.did}/{path}", params=parameters)
        assert answer.status_code in (200, 400, 404, 405), (path, parameters, answer.text)

    paths = st.sampled_from(["query", "query/protocols"]) | st.builds(
        "{}/{}".format,
        st.sampled_from(["records", "read/records", "read/protocols", "read/protocols/aHR0cDovL2E"]),
        st.text(st.characters(exclude_characters="/?#", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=50),
    )

    @examples(EXAMPLES)
    @given(paths, st.lists(st.tuples(names, values), max_size=6))
    def run(path: str, parameters: list[tuple[str, str]]) -> None:
        asyncio.run_coroutine_threadsafe(ask(path, parameters), loop).result()

    await asyncio.to_thread(run)


async def test_many_at_once_get_no_more_than_the_quota(tmp_path: Path) -> None:
    node = await Node.make(tmp_path / "node")
    await node.open(TenantRules(quota=Quota(messages=7), guest_quota=Quota(messages=2)))
    await node.configure()
    at = {"protocol": "https://protocol.example/wall", "protocol_path": "post"}
    answers = await asyncio.gather(*(node.write(b"%d" % one, node.guest_signer, **at) for one in range(10)))
    assert sorted(code for code, _ in answers) == [202] * 2 + [507] * 8
    answers = await asyncio.gather(*(node.write(b"%d" % one) for one in range(20)))
    assert sorted(code for code, _ in answers) == [202] * 4 + [507] * 16
    assert node.used() == node.stored()
    assert node.used().messages == 7
    await node.close()
