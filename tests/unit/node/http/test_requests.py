"""Requests with IDs, and their lines in the log."""

import logging

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from web5.node.http.requests import HEADER, NumberedRequests, log, named_route, request_id


async def _id(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request_id.get())


@pytest.fixture
def client():
    app = NumberedRequests(Starlette(routes=[Route("/{rest:path}", _id)]))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://node")


async def test_the_answer_names_the_id_that_the_request_was_answered_with(client, caplog):
    caplog.set_level(logging.INFO, log.name)
    first, second = await client.get("/health"), await client.get("/did:dht:abc/records/x?filter.recipient=did:dht:bob")
    assert first.headers[HEADER] == first.text != second.text == second.headers[HEADER]
    assert request_id.get() == ""
    lines = [record.getMessage() for record in caplog.records if record.name == log.name]
    assert [line.split(" bytes")[0] for line in lines] == ["GET /health 200 16", "GET /* 200 16"]


def test_a_path_is_shown_as_far_as_it_names_nobody():
    assert named_route("/dwn0/info") == "/dwn0/info"
    assert named_route("/dwn0/") == "/dwn0/"
    assert named_route("/dwn0/did:dht:abc/query/protocols") == "/dwn0/*"
    assert named_route("/dht/8jsjwoqmgyqbrxh9m8nuyzwzbs6hhyc98wsi4n6bz6ndm4w8bs8o") == "/dht/*"
    assert named_route("/connect/a b\n") == "/connect/*"
