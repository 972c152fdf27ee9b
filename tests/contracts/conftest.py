"""The servers that the contracts of HTTP and WebSocket need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.http_server import http_server
from tests.contracts.websocket_server import websocket_server


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with http_server() as address:
        yield address


@pytest.fixture(scope="module")
def socket_base() -> Iterator[str]:
    with websocket_server() as address:
        yield address
