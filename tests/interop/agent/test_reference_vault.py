"""Our vault and `HdIdentityVault` of `@web5/agent`: one phrase is one agent, and each opens what the other keeps."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.interop.gateway import gateway_server
from tests.interop.reference import ReferenceError, ReferenceScript, reference_script
from web5.agent.vault.store import VaultStore, Wrapping
from web5.agent.vault.vault import Vault
from web5.cpython.crypto import CPythonCrypto
from web5.cpython.sealer import FileSealer
from web5.crypto import mnemonic
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.jose import jwe
from web5.crypto.jose.jwe import Direct, KeyManagement, Password
from web5.dwn.store.database import Database, open_memory
from web5.errors import RecoveryError

ENDPOINTS = ["https://dwn.example.com/dwn0", "https://dwn.example.com/dwn1"]
PASSWORD = "pässword 🔑"

crypto = CPythonCrypto()
OpenVault = Callable[[Database], Vault]


@pytest.fixture
async def reference() -> AsyncIterator[ReferenceScript]:
    async with gateway_server() as gateway, reference_script("vault.mjs", GATEWAY_URL=gateway) as script:
        yield script


@pytest.fixture
def open_vault(tmp_path: Path) -> OpenVault:
    return lambda database: Vault(database, FileSealer(tmp_path / "device.key"), crypto)


def _unpublished(portable_did: dict[str, Any]) -> dict[str, Any]:
    """Without what is known only when it is published: the reference publishes at once."""
    return {**portable_did, "metadata": {}}


def _header(text: str) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(b64url_decode(text.split(".")[0]))
    return header


@pytest.mark.parametrize("endpoints", [ENDPOINTS, []], ids=["endpoints", "none"])
async def test_a_phrase_of_ours_makes_the_same_agent_there(
    reference: ReferenceScript, open_vault: OpenVault, endpoints: list[str]
) -> None:
    database = open_memory()
    vault = open_vault(database)
    ours = await vault.create(password=PASSWORD, recovery_phrase=None, dwn_endpoints=endpoints)
    phrase = await vault.recovery_phrase()
    theirs = await reference.call("initialize", password=PASSWORD, recoveryPhrase=phrase, dwnEndpoints=endpoints)
    assert _unpublished(theirs["portableDid"]) == _unpublished(ours.to_wire())
    wrapping = VaultStore(database).wrapping()
    assert wrapping is not None
    assert _header(wrapping.wrapped.decode()) == _header(theirs["contentEncryptionKey"])


async def test_phrases_of_24_words_make_the_same_agent(reference: ReferenceScript, open_vault: OpenVault) -> None:
    phrase = " ".join(["zoo"] * 23 + ["vote"])
    theirs = await reference.call("initialize", password=PASSWORD, recoveryPhrase=phrase, dwnEndpoints=ENDPOINTS)
    ours = await open_vault(open_memory()).create(password=PASSWORD, recovery_phrase=phrase, dwn_endpoints=ENDPOINTS)
    assert _unpublished(theirs["portableDid"]) == _unpublished(ours.to_wire())


async def test_the_reference_opens_our_vault_with_its_password(
    reference: ReferenceScript, open_vault: OpenVault
) -> None:
    database = open_memory()
    vault = open_vault(database)
    await vault.create(password="the first", recovery_phrase=None, dwn_endpoints=ENDPOINTS)
    for old, new in (("the first", PASSWORD), (PASSWORD, None), (None, "the last")):
        await vault.change_password(old, new)
        if new is None:
            continue
        store = VaultStore(database)
        wrapping = store.wrapping()
        assert wrapping is not None
        kept = {"contentEncryptionKey": wrapping.wrapped.decode(), "did": store.did_jwe()}
        opened = await reference.call("open", password=new, **kept)
        assert opened == (await vault.portable_did()).to_wire()
        with pytest.raises(ReferenceError, match="incorrect password"):
            await reference.call("open", password=old or "none", **kept)


async def test_our_vault_opens_what_the_reference_keeps(reference: ReferenceScript, open_vault: OpenVault) -> None:
    theirs = await reference.call("initialize", password=PASSWORD, dwnEndpoints=ENDPOINTS)
    database = open_memory()
    wrapping = Wrapping("password", theirs["contentEncryptionKey"].encode())
    await VaultStore(database).create(theirs["portableDid"]["uri"], theirs["did"], wrapping, None)
    vault = open_vault(database)
    await vault.unlock(PASSWORD)
    assert (await vault.portable_did()).to_wire() == theirs["portableDid"]


async def test_a_vault_recovered_here_reads_what_the_reference_encrypted(
    reference: ReferenceScript, open_vault: OpenVault
) -> None:
    theirs = await reference.call("initialize", password=PASSWORD, dwnEndpoints=ENDPOINTS)
    vault = open_vault(open_memory())
    await vault.create(password="another one", recovery_phrase=theirs["recoveryPhrase"], dwn_endpoints=[])
    assert json.loads(await vault.decrypt(theirs["did"])) == theirs["portableDid"]


async def test_both_refuse_the_same_phrases(reference: ReferenceScript) -> None:
    words = mnemonic.generate().split()
    for wrong in (words[:11], [*words[:11], "abandom"], [*words, "abandon"]):
        with pytest.raises(ReferenceError, match="recovery phrase is invalid"):
            await reference.call("initialize", password=PASSWORD, recoveryPhrase=" ".join(wrong))
        with pytest.raises(RecoveryError):
            mnemonic.normalized(" ".join(wrong))


KEY = bytes(range(32))
JWK = {"kty": "oct", "k": b64url_encode(KEY), "alg": "A256GCM"}
SALTED = {"alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2c": 1000, "p2s": b64url_encode(b"some salt")}
WAYS: list[tuple[KeyManagement, Any, dict[str, Any]]] = [
    (Direct(KEY), JWK, {"alg": "dir", "enc": "A256GCM", "cty": "json"}),
    (Password(PASSWORD.encode(), 1000), b64url_encode(PASSWORD.encode()), SALTED),
]


@pytest.mark.parametrize(("ours", "theirs", "header"), WAYS, ids=[ours.alg for ours, _, _ in WAYS])
async def test_each_decrypts_what_the_other_encrypted(
    reference: ReferenceScript, ours: KeyManagement, theirs: Any, header: dict[str, Any]
) -> None:
    for plaintext in (b"x", b"a longer text", bytes(range(256)) * 40):
        text = await reference.call("encrypt", plaintext=b64url_encode(plaintext), key=theirs, header=header)
        assert await jwe.decrypt(crypto, text, ours) == plaintext
        mine = await jwe.encrypt(crypto, plaintext, ours, header={"cty": "json"})
        read = await reference.call("decrypt", jwe=mine, key=theirs)
        assert b64url_decode(read["plaintext"]) == plaintext
        assert read["header"] == _header(mine)
