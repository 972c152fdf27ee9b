"""The contract of the Crypto port on CPython."""

from __future__ import annotations

import pytest

from tests.contracts import crypto_contract, encryption_contract
from web5.cpython.crypto import CPythonCrypto

CASES = [*crypto_contract.CASES, *encryption_contract.CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__.removeprefix("case_"))
async def test_cpython_crypto(case: crypto_contract.Case) -> None:
    await case(CPythonCrypto())
