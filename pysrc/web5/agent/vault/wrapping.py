"""What opens the vault: its content key, wrapped under a password or by the device's key."""

from __future__ import annotations

import json

from web5.agent.vault.store import Wrapping
from web5.crypto import jwe
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.jwe import KEY_BYTES, Password
from web5.crypto.jwk import thumbprint
from web5.errors import CryptoError, InvalidArgument, VaultError, VaultLocked, WrongPassword
from web5.ports.crypto import Crypto, Sealer
from web5.strict_json import parse

ITERATIONS = 210_000
"""Of PBKDF2 for a password, as in the reference (src/hd-identity-vault.ts)."""

_LOST = "Recover the agent with its recovery phrase."


class Wrapper:
    """Wraps content keys, and gives them back.

    Parameters:
        sealer: protects a content key where there is no password.
        iterations: of PBKDF2, for a password.
    """

    def __init__(self, sealer: Sealer, crypto: Crypto, iterations: int = ITERATIONS) -> None:
        self._sealer = sealer
        self._crypto = crypto
        self._iterations = iterations

    async def wrap(self, content_key: bytes, password: bytes | None, salt: bytes | None = None) -> Wrapping:
        """The content key, wrapped.

        Parameters:
            password: as `checked_password` gives it; None for the device's key.
            salt: a fresh one by default.
        """
        if password is None:
            return Wrapping("device", await self._sealer.seal(content_key))
        key = Password(password, self._iterations, salt)
        text = await jwe.encrypt(self._crypto, _as_jwk(content_key), key, header={"cty": "text/plain"})
        return Wrapping("password", text.encode())

    async def unwrap(self, wrapping: Wrapping, password: str | None) -> bytes:
        """The content key.

        Raises:
            WrongPassword: it is another; the whole derivation has been done all the same.
            VaultLocked: a password is needed.
            VaultError: the vault has no password, or this device's key does not open it.
        """
        if wrapping.protection == "device":
            return await self._unsealed(wrapping.wrapped, password)
        if password is None:
            raise VaultLocked("The vault is locked by a password. Unlock it with that.")
        try:
            jwk = await jwe.decrypt(self._crypto, wrapping.wrapped.decode(), Password(_utf8(password)))
        except CryptoError as error:
            raise WrongPassword("The vault does not open with this password.") from error
        return _from_jwk(jwk)

    async def _unsealed(self, sealed: bytes, password: str | None) -> bytes:
        if password is not None:
            raise VaultError("The vault has no password: this device's key opens it. Change the password to set one.")
        try:
            return await self._sealer.open(sealed)
        except CryptoError as error:
            raise VaultError(
                f"This device's key does not open the vault: it is another's, or was made anew since. {_LOST}"
            ) from error


def checked_password(password: str | None) -> bytes | None:
    """A new password as bytes.

    Raises:
        InvalidArgument: it is blank, or no Unicode text.
    """
    if password is not None and not password.strip():
        raise InvalidArgument("A password may not be blank. Give none to protect the vault by this device's key.")
    return None if password is None else _utf8(password)


def _utf8(password: str) -> bytes:
    try:
        return password.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument("A password is Unicode text; this one has half a surrogate pair.") from error


def _as_jwk(content_key: bytes) -> bytes:
    """The content key as the reference has it within its wrapping."""
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
