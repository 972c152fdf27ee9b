"""The Crypto contract on CPython."""

from __future__ import annotations

import pytest

from tests.contracts.crypto_contract import CASES, Case
from web5.node.crypto import NodeCrypto


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__.removeprefix("case_"))
async def test_node_crypto(case: Case) -> None:
    await case(NodeCrypto())
