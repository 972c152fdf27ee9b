"""The wrapping of the vault's content key: under a password, or by the device's key."""

from __future__ import annotations

import json

from web5.agent.vault.store import Wrapping
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.jose import jwe
from web5.crypto.jose.jwe import KEY_BYTES, Password
from web5.crypto.jose.jwk import thumbprint
from web5.errors import CryptoError, InvalidArgument, VaultError, VaultLocked, WrongPassword
from web5.ports.crypto import Crypto, Sealer
from web5.strict_json import parse

ITERATIONS = 210_000
"""Of PBKDF2 for a new password, as in the reference (src/hd-identity-vault.ts)."""

MIN_PASSWORD = 8
"""Characters of a new password (NIST SP 800-63B, section 5.1.1.2)."""

_LOST = "Recover the agent with its recovery phrase."


async def wrap(
    content_key: bytes, password: str | None, salt: bytes | None = None, *, sealer: Sealer, crypto: Crypto
) -> Wrapping:
    """Wrap a content key.

    Parameters:
        password: as `check_new_password` lets it pass; None: by the device's key.
        salt: a fresh one by default.
    """
    if password is None:
        return Wrapping("device", await sealer.seal(content_key))
    key = Password(_utf8(password), ITERATIONS, salt)
    text = await jwe.encrypt(crypto, _as_jwk(content_key), key, header={"cty": "text/plain"})
    return Wrapping("password", text.encode())


async def unwrap(wrapping: Wrapping, password: str | None, *, sealer: Sealer, crypto: Crypto) -> bytes:
    """Return the content key.

    Raises:
        WrongPassword: it is another; the whole derivation has been done all the same.
        VaultLocked: a password is needed.
        VaultError: the vault has no password, or this device's key does not open it.
    """
    if wrapping.protection == "password":
        if password is None:
            raise VaultLocked("The vault is locked by a password. Unlock it with that.")
        try:
            jwk = await jwe.decrypt(crypto, wrapping.wrapped.decode(), Password(_utf8(password)))
        except CryptoError as error:
            raise WrongPassword("The vault does not open with this password.") from error
        return _from_jwk(jwk)
    if password is not None:
        raise VaultError("The vault has no password: this device's key opens it. Change the password to set one.")
    try:
        return await sealer.open(wrapping.wrapped)
    except CryptoError as error:
        raise VaultError(
            f"This device's key does not open the vault: it is another's, or was made anew since. {_LOST}"
        ) from error


def check_new_password(password: str | None) -> None:
    """Make sure that a new password can be used.

    Raises:
        InvalidArgument: it is blank, too short to withstand guessing, or no Unicode text.
    """
    if password is None:
        return
    _utf8(password)
    if not password.strip():
        raise InvalidArgument("A password may not be blank. Give none to protect the vault by this device's key.")
    if len(password) < MIN_PASSWORD:
        raise InvalidArgument(f"A password has at least {MIN_PASSWORD} characters; a shorter one is soon guessed.")


def _utf8(password: str) -> bytes:
    try:
        return password.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument("A password is Unicode text; this one has half a surrogate pair.") from error


def _as_jwk(content_key: bytes) -> bytes:
    """Return the content key as the reference has it within its wrapping."""
    jwk = {"k": b64url_encode(content_key), "kty": "oct"}
    return json.dumps({**jwk, "kid": thumbprint(jwk), "alg": jwe.ENCRYPTION}, separators=(",", ":")).encode()


def _from_jwk(text: bytes) -> bytes:
    try:
        content_key = b64url_decode(parse(text.decode())["k"])
    except (ValueError, KeyError, TypeError, CryptoError) as error:
        raise VaultError(f"What the vault keeps is not a content key. {_LOST}") from error
    if len(content_key) != KEY_BYTES:
        raise VaultError(f"The vault's content key has {len(content_key)} bytes, not {KEY_BYTES}. {_LOST}")
    return content_key
