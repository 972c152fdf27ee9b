"""The server through ASGI, with a real DWN behind it."""

import json
import logging
from pathlib import Path

import httpx
import pytest

from tests.unit.node.nodes import BASE, LIMITS, Served
from web5.dwn.wire import rpc
from web5.remote.dwn import SECONDS
from web5.remote.info import server_info


@pytest.fixture
async def served(tmp_path: Path):
    return await Served.start(tmp_path)


def error_of(answer: httpx.Response) -> tuple[int, int]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize("path", ["/dwn0", "/dwn0/", "/dwn1", "/", ""])
@pytest.mark.parametrize("size", [0, 1, 30_000, 30_001, 200_000])
async def test_data_comes_back(served, path, size):
    data = bytes(i & 255 for i in range(size))
    record_id, status = await served.write(path, data)
    assert status["code"] == 202, status
    reply = await served.read(path, record_id)
    assert reply["status"]["code"] == 200
    assert await reply["entry"]["data"].read() == data


async def test_mounts_are_separate_nodes(served):
    record_id, _ = await served.write("/dwn0", b"text")
    assert (await served.read("/dwn0", record_id))["status"]["code"] == 200
    assert (await served.read("/dwn1", record_id))["status"]["code"] == 404


async def test_reply_is_ascii_with_the_id_of_the_request(served):
    header = {"dwn-request": rpc.encode_request(served.did, {"descriptor": {"interface": "Grüße"}}, "the id")}
    answer = await served.post(headers=header)
    assert answer.status_code == 200
    assert answer.content.isascii()
    assert answer.json()["id"] == "the id"
    assert answer.json()["result"]["reply"]["status"]["code"] == 400


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        (None, 400, rpc.ErrorCode.BAD_REQUEST),
        ("", 400, rpc.ErrorCode.BAD_REQUEST),
        ("not JSON", 400, rpc.ErrorCode.BAD_REQUEST),
        ('{"jsonrpc":"2.0","id":"1","method":"dwn.other"}', 501, rpc.ErrorCode.METHOD_NOT_FOUND),
        ('{"jsonrpc":"2.0","id":"1","method":"dwn.processMessage"}', 400, rpc.ErrorCode.INVALID_PARAMS),
        ("x" * (LIMITS.message + 1), 431, rpc.ErrorCode.HEADER_TOO_LARGE),
    ],
)
async def test_what_is_no_request(served, header, status, code):
    answer = await served.post(headers={} if header is None else {"dwn-request": header})
    assert error_of(answer) == (status, code)


async def test_subscriptions_need_a_socket(served):
    message = {"descriptor": {"interface": "Records", "method": "Subscribe"}}
    answer = await served.post(headers={"dwn-request": rpc.encode_request(served.did, message)})
    assert error_of(answer) == (400, rpc.ErrorCode.INVALID_REQUEST)


@pytest.mark.parametrize("declared", [True, False])
async def test_too_much_data_is_refused_and_nothing_stays(served, declared):
    data = b"x" * (LIMITS.data + 1)

    async def chunks():
        yield data

    answer = await served.post(headers=await served.header(data), content=data if declared else chunks())
    assert error_of(answer) == (413, rpc.ErrorCode.CONTENT_TOO_LARGE)
    assert answer.json()["id"] == "1"
    assert await served.record_count("/dwn0") == 0
    assert await served.blobs[0].keys() == set()


async def test_failure_of_ours_is_told_without_its_inside(served, caplog):
    served.databases[0].connection.close()
    with caplog.at_level(logging.CRITICAL, "web5.node"):
        answer = await served.post(headers=await served.header(b"text"), content=b"text")
    assert error_of(answer) == (500, rpc.ErrorCode.INTERNAL_ERROR)
    assert answer.json()["id"] == "1"
    assert "onnection" not in answer.text
    assert (await served.write("/dwn1", b"text"))[1]["code"] == 202


async def test_a_page_of_another_origin_may_call(served):
    headers = {
        "origin": "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,dwn-request",
    }
    answer = await served.client.options("/dwn0", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == "content-type,dwn-request"
    assert int(answer.headers["access-control-max-age"]) >= 3600
    for answer in (
        await served.post(headers={"origin": "https://app.example"}),
        await served.client.get("/dwn0/info", headers={"origin": "https://app.example"}),
    ):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert {"dwn-response", "date"} <= set(answer.headers["access-control-expose-headers"].split(", "))


@pytest.mark.parametrize(("path", "url"), [("/dwn0", f"{BASE}/dwn0"), ("/dwn1/", f"{BASE}/dwn1"), ("", f"{BASE}/")])
async def test_info(served, path, url):
    answer = await served.client.get(f"{path.rstrip('/')}/info")
    about = answer.json()
    about.pop("version", None)
    assert about == {
        "url": url,
        "server": "web5-py",
        "maxFileSize": LIMITS.data,
        "webSocketSupport": True,
        "httpRpcFraming": ["body-v1"],
        "registrationRequirements": [],
    }
    assert (await server_info(served.http, BASE + path, SECONDS)).web_socket_support


@pytest.mark.parametrize("path", ["/health", "/dwn0/health", "/dwn1/health"])
async def test_health(served, path):
    answer = await served.client.get(path)
    assert json.loads(answer.content) == {"ok": True}


async def test_data_that_cannot_be_read_is_a_failure_of_ours_and_no_broken_connection(served, tmp_path):
    record_id, _ = await served.write("/dwn0", b"x" * 100_000)
    for file in tmp_path.rglob("*.blob"):
        file.unlink()
    reply = await served.read("/dwn0", record_id)
    assert reply == {"status": {"code": 500, "detail": "StorageError: this node's store failed"}}
