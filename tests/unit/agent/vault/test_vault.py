"""The vault: made, opened, locked, its password changed; the numbers are the invariants of vault.py."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.contracts.memory_pages import MemoryPages
from web5.agent.vault import wrapping
from web5.agent.vault.secrets import derive_secrets
from web5.agent.vault.vault import Vault
from web5.cpython.crypto import CPythonCrypto
from web5.cpython.sealer import FileSealer
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.jose.jwk import thumbprint
from web5.dids.models import PortableDid
from web5.dwn.store.database import Database, open_file, open_memory
from web5.dwn.store.durable.paged import open_paged
from web5.errors import CryptoError, InvalidArgument, RecoveryError, VaultError, VaultLocked, WrongPassword

WORDS = " ".join(["abandon"] * 11 + ["about"])
AGENT = "did:dht:qftx7z968xcpfy1a1diu75pg5meap3gdtg6ezagaw849wdh6oubo"
ENDPOINTS = ["https://dwn.example.com/dwn0"]
IDENTITY_KEY = "0Yi6Vt-38SlclkapRO8C-ERMn1DMOdtHo6JKM3WVU_E"
SIGNING_KEY = "OpXEmNiKOrsTqhbj8ONvsURwWhvjYvnOIG1Pv-OcIOk"
SALT = "z2OJziPeFLAuBUE-G8w3Ffb-1MKw7alBJwEnkojzfSA"
"""What `HdIdentityVault` of @web5/agent makes of these words."""

T = TypeVar("T")

FEW = 1000
"""Iterations, where their number is not what a test is about."""


class GatedCrypto(CPythonCrypto):
    """The real adapter, which counts the iterations of PBKDF2 and can be held in the midst of its work."""

    def __init__(self) -> None:
        self.iterations = 0
        self._begun = asyncio.Event()
        self._gate = asyncio.Event()
        self._gate.set()

    async def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start something and return once it computes; it goes on after `go_on`."""
        self._begun.clear()
        self._gate.clear()
        task = asyncio.create_task(work)
        await self._begun.wait()
        return task

    def go_on(self) -> None:
        self._gate.set()

    async def _pass(self) -> None:
        self._begun.set()
        await self._gate.wait()

    async def pbkdf2(self, password: bytes, salt: bytes, iterations: int, length: int) -> bytes:
        self.iterations += iterations
        await self._pass()
        return await super().pbkdf2(password, salt, iterations, length)

    async def encrypt_gcm(self, key: bytes, iv: bytes, plaintext: bytes, additional_data: bytes = b"") -> bytes:
        await self._pass()
        return await super().encrypt_gcm(key, iv, plaintext, additional_data)


class Device:
    """A database and a device's key; `vault` is the vault on them, opened anew."""

    def __init__(self, database: Database, key: Path) -> None:
        self.database = database
        self.key = key
        self.crypto = GatedCrypto()

    def vault(self) -> Vault:
        return Vault(self.database, FileSealer(self.key), self.crypto)

    def bytes(self) -> bytes:
        return self.database.connection.serialize("main")


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Device:
    monkeypatch.setattr(wrapping, "ITERATIONS", FEW)
    return Device(open_memory(), tmp_path / "device.key")


async def _created(device: Device, password: str | None = "a secret", words: str | None = WORDS) -> Vault:
    vault = device.vault()
    await vault.create(password=password, recovery_phrase=words, dwn_endpoints=ENDPOINTS)
    return vault


def _everything(vault: Vault) -> list[Callable[[], Any]]:
    return [
        vault.portable_did,
        vault.recovery_phrase,
        vault.forget_recovery_phrase,
        lambda: vault.encrypt(b""),
        lambda: vault.decrypt(""),
    ]


async def test_the_words_make_the_agent_that_the_reference_makes_of_them(tmp_path: Path) -> None:
    device = Device(open_memory(), tmp_path / "device.key")  # with as many iterations as there are for people
    vault = device.vault()
    portable_did = await vault.create(password="a secret", recovery_phrase=WORDS, dwn_endpoints=ENDPOINTS)
    assert portable_did.uri == vault.agent_did == AGENT
    assert [key["d"] for key in portable_did.private_keys or ()] == [IDENTITY_KEY, SIGNING_KEY]
    wire = portable_did.document.to_wire()
    assert wire["authentication"] == wire["assertionMethod"] == [f"{AGENT}#0", f"{AGENT}#sig"]
    assert wire["service"] == [
        {
            "id": f"{AGENT}#dwn",
            "type": "DecentralizedWebNode",
            "serviceEndpoint": ENDPOINTS,
            "enc": "#enc",
            "sig": "#sig",
        }
    ]
    (wrapped,) = device.database.connection.execute("SELECT wrapped FROM vault_key").fetchone()
    assert json.loads(b64url_decode(wrapped.decode().split(".")[0])) == {
        "alg": "PBES2-HS512+A256KW",
        "enc": "A256GCM",
        "cty": "text/plain",
        "p2c": 210_000,
        "p2s": SALT,
    }


async def test_without_endpoints_the_document_names_no_nodes(device: Device) -> None:
    portable_did = await device.vault().create(password=None, recovery_phrase=WORDS, dwn_endpoints=[])
    assert portable_did.uri == AGENT and portable_did.document.service is None


async def test_a_vault_is_new_then_unlocked_then_locked(device: Device) -> None:
    vault = device.vault()
    assert (vault.state, vault.protection, vault.agent_did) == ("new", None, None)
    await vault.create(password="a secret", recovery_phrase=WORDS, dwn_endpoints=[])
    assert (vault.state, vault.protection) == ("unlocked", "password")
    vault.lock()
    assert (vault.state, vault.agent_did) == ("locked", AGENT)
    await vault.unlock("a secret")
    assert vault.state == "unlocked"


async def test_after_a_restart_it_is_locked_and_opens_to_the_same(device: Device) -> None:
    vault = await _created(device)
    text, portable_did = await vault.encrypt(b"kept"), await vault.portable_did()
    again = device.vault()
    assert (again.state, again.protection, again.agent_did) == ("locked", "password", AGENT)
    await again.unlock("a secret")
    assert await again.decrypt(text) == b"kept"
    assert await again.portable_did() == portable_did


async def test_without_a_password_the_devices_key_opens_it(device: Device) -> None:
    text = await (await _created(device, password=None)).encrypt(b"kept")
    vault = device.vault()
    assert (vault.state, vault.protection) == ("locked", "device")
    await vault.unlock()
    assert await vault.decrypt(text) == b"kept"


async def test_a_password_for_a_vault_that_has_none_is_refused(device: Device) -> None:
    await _created(device, password=None)
    vault = device.vault()
    with pytest.raises(VaultError, match="has no password") as refused:
        await vault.unlock("a secret")
    assert not isinstance(refused.value, WrongPassword)
    assert vault.state == "locked"


async def test_another_devices_key_does_not_open_it(device: Device, tmp_path: Path) -> None:
    await _created(device, password=None)
    device.key = tmp_path / "another.key"
    with pytest.raises(VaultError, match="Recover the agent"):
        await device.vault().unlock()


async def test_1_nothing_secret_is_readable_in_the_database(device: Device) -> None:
    vault = device.vault()
    for password in ("a password that is long", None):
        if vault.state == "new":
            await vault.create(password=password, recovery_phrase=None, dwn_endpoints=[])
        else:
            await vault.change_password("a password that is long", password)
        words = await vault.recovery_phrase()
        keys = (await vault.portable_did()).private_keys or []
        assert words is not None and len(keys) == 2
        secrets = [words.encode(), words.split()[0].encode() + b" ", b"a password that is long"]
        secrets += [form for key in keys for form in (key["d"].encode(), b64url_decode(key["d"]))]
        content_key = (await derive_secrets(words, CPythonCrypto())).content_key
        secrets += [content_key, b64url_encode(content_key).encode()]
        stored = device.bytes()
        assert [secret for secret in secrets if secret in stored] == []


async def test_new_words_are_kept_until_they_are_forgotten(device: Device) -> None:
    vault = await _created(device, words=None)
    words = await vault.recovery_phrase()
    assert words is not None and len(words.split()) == 12
    again = device.vault()
    await again.unlock("a secret")
    assert await again.recovery_phrase() == words
    await again.forget_recovery_phrase()
    assert await again.recovery_phrase() is await vault.recovery_phrase() is None
    await again.forget_recovery_phrase()


async def test_the_words_that_were_kept_are_the_agents(device: Device, tmp_path: Path) -> None:
    vault = await _created(device, words=None)
    text = await vault.encrypt(b"of one device")
    other = Device(open_memory(), tmp_path / "other.key")
    recovered = await _created(other, password="another one", words=await vault.recovery_phrase())
    assert recovered.agent_did == vault.agent_did
    assert await recovered.decrypt(text) == b"of one device"


async def test_words_that_were_given_are_not_kept(device: Device) -> None:
    assert await (await _created(device)).recovery_phrase() is None


@pytest.mark.parametrize("words", ["abandon", WORDS.replace("about", "abandon"), WORDS.replace("about", "abuot"), ""])
async def test_words_that_are_none_make_nothing(device: Device, words: str) -> None:
    vault = device.vault()
    with pytest.raises(RecoveryError):
        await vault.create(password="a secret", recovery_phrase=words, dwn_endpoints=[])
    assert vault.state == "new"


@pytest.mark.parametrize("password", ["", " ", "\t\n", " " * 8, "seven c", "\U0001f40e" * 7, "\ud800" * 8])
async def test_a_blank_short_or_broken_password_is_refused(device: Device, password: str) -> None:
    vault = device.vault()
    with pytest.raises(InvalidArgument):
        await vault.create(password=password, recovery_phrase=WORDS, dwn_endpoints=[])
    assert vault.state == "new"
    await vault.create(password="a secret", recovery_phrase=WORDS, dwn_endpoints=[])
    with pytest.raises(InvalidArgument):
        await vault.change_password("a secret", password)
    await device.vault().unlock("a secret")


async def test_there_is_one_vault_only(device: Device) -> None:
    vault = await _created(device)
    with pytest.raises(VaultError, match=AGENT):
        await vault.create(password="the other", recovery_phrase=None, dwn_endpoints=[])
    await device.vault().unlock("a secret")


async def test_a_locked_vault_does_nothing_else_and_says_so(device: Device) -> None:
    vault = await _created(device)
    vault.lock()
    for call in [*_everything(vault), lambda: vault.unlock(None)]:
        with pytest.raises(VaultLocked):
            await call()


async def test_a_vault_that_is_not_there_says_so(device: Device) -> None:
    vault = device.vault()
    calls = [*_everything(vault), lambda: vault.unlock("a secret"), lambda: vault.change_password(None, "a secret")]
    for call in calls:
        with pytest.raises(VaultError, match="no vault yet"):
            await call()


@pytest.mark.parametrize("wrong", ["A secret", "", "a secret ", "a", "a secret" * 100])
async def test_3_a_wrong_password_costs_the_same_and_changes_nothing(device: Device, wrong: str) -> None:
    text = await (await _created(device)).encrypt(b"kept")
    vault, before = device.vault(), device.bytes()
    device.crypto.iterations = 0
    with pytest.raises(WrongPassword):
        await vault.unlock(wrong)
    assert device.crypto.iterations == FEW
    with pytest.raises(WrongPassword):
        await vault.change_password(wrong, "a new one")
    assert (vault.state, device.bytes()) == ("locked", before)
    device.crypto.iterations = 0
    await vault.unlock("a secret")
    assert device.crypto.iterations == FEW
    assert await vault.decrypt(text) == b"kept"


async def test_a_wrong_password_leaves_an_open_vault_open(device: Device) -> None:
    vault = await _created(device)
    with pytest.raises(WrongPassword):
        await vault.unlock("wrong")
    assert vault.state == "unlocked"


async def test_passwords_are_not_normalized(device: Device) -> None:
    await _created(device, password="caf\u00e9 noir")
    with pytest.raises(WrongPassword):
        await device.vault().unlock("cafe\u0301 noir")
    await device.vault().unlock("caf\u00e9 noir")


CHANGES = [("a secret", "a new one"), ("a secret", None), (None, "a secret"), (None, None)]


@pytest.mark.parametrize(("old", "new"), CHANGES)
async def test_2_what_opened_it_before_opens_it_no_more(device: Device, old: str | None, new: str | None) -> None:
    vault = await _created(device, password=old)
    text = await vault.encrypt(b"kept")
    await vault.change_password(old, new)
    assert vault.protection == ("device" if new is None else "password")
    again = device.vault()
    if old != new:
        with pytest.raises(VaultError):
            await again.unlock(old)
        assert again.state == "locked"
    await again.unlock(new)
    assert await again.decrypt(text) == b"kept"


async def test_a_changed_password_has_a_salt_of_its_own(device: Device) -> None:
    vault = await _created(device)
    salts = {SALT}
    for _ in range(2):
        await vault.change_password("a secret", "a secret")
        (wrapped,) = device.database.connection.execute("SELECT wrapped FROM vault_key").fetchone()
        header = json.loads(b64url_decode(wrapped.decode().split(".")[0]))
        assert list(header) == ["alg", "enc", "cty", "p2c", "p2s"]
        salts.add(header["p2s"])
    assert len(salts) == 3


async def test_the_change_of_a_password_unlocks(device: Device) -> None:
    await _created(device)
    vault = device.vault()
    await vault.change_password("a secret", "a new one")
    assert vault.state == "unlocked"


async def _in_memory(folder: Path) -> tuple[Database, Callable[[], bytes]]:
    held: dict[int, bytes] = {}
    return await open_paged(MemoryPages(held=held)), lambda: b"".join(held.values())


async def _in_a_file(folder: Path) -> tuple[Database, Callable[[], bytes]]:
    def stored() -> bytes:
        return b"".join(path.read_bytes() for path in folder.glob("web5.sqlite*"))

    return open_file(folder / "web5.sqlite"), stored


@pytest.mark.parametrize("opened", [_in_memory, _in_a_file])
@pytest.mark.parametrize(("old", "new"), CHANGES)
async def test_2_nothing_of_an_old_wrapping_or_of_forgotten_words_is_stored(
    opened: Any, old: str | None, new: str | None, tmp_path: Path
) -> None:
    database, stored = await opened(tmp_path)
    device = Device(database, tmp_path / "device.key")
    vault = await _created(device, password=old, words=None)
    for number in range(3):
        wrapped, words = database.connection.execute("SELECT wrapped, phrase_jwe FROM vault_key").fetchone()
        # Their random middles: what a header says of all such texts may stay.
        gone = [wrapped[len(wrapped) // 2 :][:12], words.encode()[len(words) // 2 :][:12]]
        assert [piece in stored() for piece in gone] == [True, True], number
        await vault.change_password(old, new)
        assert [piece in stored() for piece in gone] == [False, True], number
        await vault.change_password(new, old)
    await vault.forget_recovery_phrase()
    assert gone[1] not in stored()
    await database.close()


async def test_what_another_vault_encrypted_is_refused(device: Device, tmp_path: Path) -> None:
    vault = await _created(device)
    other = await _created(Device(open_memory(), tmp_path / "other.key"), words=None)
    with pytest.raises(CryptoError):
        await vault.decrypt(await other.encrypt(b"secret"))


async def test_4_unlocking_twice_at_once_unlocks(device: Device) -> None:
    await _created(device)
    vault = device.vault()
    await asyncio.gather(vault.unlock("a secret"), vault.unlock("a secret"))
    assert vault.state == "unlocked"
    results = await asyncio.gather(vault.unlock("wrong"), vault.unlock("a secret"), return_exceptions=True)
    assert [type(result) for result in results] == [WrongPassword, type(None)]
    assert vault.state == "unlocked"


async def test_4_a_lock_wins_over_an_unlocking_under_way(device: Device) -> None:
    await _created(device)
    vault = device.vault()
    unlocking = await device.crypto.begin(vault.unlock("a secret"))
    vault.lock()
    device.crypto.go_on()
    with pytest.raises(VaultLocked, match="while it was being unlocked"):
        await unlocking
    assert vault.state == "locked"


async def test_4_a_lock_wins_over_a_creation_and_a_change_under_way(device: Device) -> None:
    vault = device.vault()
    creating = await device.crypto.begin(vault.create(password="a secret", recovery_phrase=WORDS, dwn_endpoints=[]))
    vault.lock()
    device.crypto.go_on()
    await creating
    assert vault.state == "locked"
    changing = await device.crypto.begin(vault.change_password("a secret", "a new one"))
    vault.lock()
    device.crypto.go_on()
    await changing
    assert vault.state == "locked"
    await vault.unlock("a new one")


async def test_4_what_had_begun_to_encrypt_ends_after_a_lock(device: Device) -> None:
    vault = await _created(device)
    encrypting = await device.crypto.begin(vault.encrypt(b"begun before"))
    vault.lock()
    device.crypto.go_on()
    text = await encrypting
    await vault.unlock("a secret")
    assert await vault.decrypt(text) == b"begun before"


async def test_5_of_two_creations_at_once_one_is_refused(device: Device) -> None:
    vault = device.vault()
    results = await asyncio.gather(
        *(vault.create(password=word, recovery_phrase=None, dwn_endpoints=[]) for word in ("the first", "the second")),
        return_exceptions=True,
    )
    assert isinstance(results[0], PortableDid) and isinstance(results[1], VaultError)
    assert vault.agent_did == results[0].uri
    await device.vault().unlock("the first")


async def test_5_of_two_changes_at_once_the_second_finds_the_first(device: Device) -> None:
    vault = await _created(device)
    results = await asyncio.gather(
        vault.change_password("a secret", "the first"),
        vault.change_password("a secret", "the second"),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), WrongPassword]
    await device.vault().unlock("the first")


@pytest.mark.parametrize("damaged", [b"no JWE", b"", b"...."])
async def test_a_damaged_wrapping_does_not_open(device: Device, damaged: bytes) -> None:
    await _created(device)
    with device.database.transaction() as db:
        db.execute("UPDATE vault_key SET wrapped = ?", (damaged,))
    with pytest.raises(VaultError):
        await device.vault().unlock("a secret")


async def test_the_keys_are_named_by_their_thumbprints(device: Device) -> None:
    for key in (await (await _created(device)).portable_did()).private_keys or ():
        assert key["kid"] == thumbprint(key) and key["alg"] == "EdDSA"


async def test_what_is_to_happen_before_another_key_opens_it_can_stop_that(device: Device) -> None:
    vault = await _created(device, password=None)
    seen: list[object] = []

    async def prepare() -> None:
        seen.append(vault.protection)
        if len(seen) == 1:
            raise VaultError("not yet")

    vault.before_change.append(prepare)
    with pytest.raises(VaultError, match="not yet"):
        await vault.change_password(None, "a password")
    assert vault.protection == "device"
    await vault.change_password(None, "a password")
    await vault.install(await derive_secrets(WORDS, CPythonCrypto()), None)
    assert seen == ["device", "device", "password"]
    assert vault.protection == "device"
