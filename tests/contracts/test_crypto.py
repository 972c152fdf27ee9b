"""The Crypto and Ciphers contracts on CPython."""

from __future__ import annotations

import pytest

from tests.contracts import ciphers_contract, crypto_contract
from web5.cpython.ciphers import NodeCiphers
from web5.cpython.crypto import NodeCrypto


@pytest.mark.parametrize("case", crypto_contract.CASES, ids=lambda case: case.__name__.removeprefix("case_"))
async def test_node_crypto(case: crypto_contract.Case) -> None:
    await case(NodeCrypto())


@pytest.mark.parametrize("case", ciphers_contract.CASES, ids=lambda case: case.__name__.removeprefix("case_"))
async def test_node_ciphers(case: ciphers_contract.Case) -> None:
    await case(NodeCiphers())
