"""The Sealer port on CPython: AES-GCM with a key in a file."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from web5.dwn.store.database import storage_error
from web5.errors import CryptoError

_NONCE = 12
_KEY = 32


class FileSealer:
    """`Sealer` with a key in a file that only its owner may read.

    Parameters:
        path: the key file; it is made on first use.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._cipher: AESGCM | None = None

    async def seal(self, plaintext: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._aes().encrypt(nonce, plaintext, None)

    async def open(self, sealed: bytes) -> bytes:
        try:
            return self._aes().decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except (InvalidTag, ValueError) as error:
            raise CryptoError("this was sealed with another device's key, or was changed") from error

    def _aes(self) -> AESGCM:
        if self._cipher is None:
            try:
                self._cipher = AESGCM(self._read_or_make_key())
            except OSError as error:
                raise storage_error(error) from error
        return self._cipher

    def _read_or_make_key(self) -> bytes:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if not self._path.exists():
            self._make_key()
        key = self._path.read_bytes()
        if len(key) != _KEY:
            raise CryptoError(f"{self._path} is not a key file: it has {len(key)} bytes, not {_KEY}")
        return key

    def _make_key(self) -> None:
        # Written aside and linked into place: another process sees a whole key or none, and the first one wins.
        aside = self._path.with_name(f"{self._path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.urandom(_KEY))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(aside, self._path)
            except FileExistsError:
                return
        finally:
            aside.unlink()
