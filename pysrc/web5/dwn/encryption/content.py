"""The content key of a record: it encrypts the data, and is wrapped once for each key that may open the record.

The data is encrypted by AES-256-CTR, chunk by chunk (`Encryption.aes256CtrEncrypt` of dwn-sdk-js), without a tag: a
change is noticed by the CID of the ciphertext, which the record's author has signed. The wrapped keys are in the
`encryption` of the RecordsWrite (`RecordsWrite.createEncryptionProperty`, `Records.decrypt`). The wire has ECIES over
secp256k1 and nothing else there (`ECIES-ES256K`), so X25519 keys cannot be wrapped for.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from web5.chunks import reading
from web5.crypto.ecies import Cryptogram, decrypt, encrypt
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.jose.jwk import thumbprint
from web5.dwn.encryption.derivation import DerivedKey, Scheme, path_for, public_part
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import Encryption
from web5.dwn.values.types import Message
from web5.errors import BadRequest, CryptoError, EncryptionError, KeyMissing
from web5.ports.crypto import Crypto, Jwk

_SCHEMA = Schema("Encryption", Encryption)

KEY = 32  # bytes
IV = 16  # bytes
BLOCK = 16
_COUNTERS = 1 << 128


@dataclass(frozen=True, slots=True)
class ContentKey:
    """The key of one record's data, and the first value of its counter.

    Parameters:
        iv: 16 bytes. It is made anew for each state of a record: a counter that is used twice gives both texts away.
    """

    key: bytes = field(repr=False)
    iv: bytes

    @classmethod
    def new(cls) -> ContentKey:
        return cls(os.urandom(KEY), os.urandom(IV))

    def renewed(self) -> ContentKey:
        """Return the same key with a counter for other data."""
        return replace(self, iv=os.urandom(IV))

    def at(self, block: int) -> ContentKey:
        """Return the same key for the data from a block of `BLOCK` bytes on."""
        counter = (int.from_bytes(self.iv, "big") + block) % _COUNTERS
        return replace(self, iv=counter.to_bytes(IV, "big"))

    async def crypt_bytes(self, crypto: Crypto, data: bytes) -> bytes:
        """Encrypt or decrypt data, which is the same."""
        return await crypto.ctr(self.key, self.iv, data)

    async def crypt(self, crypto: Crypto, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """Encrypt or decrypt chunks, to chunks of about their sizes."""
        counter, rest = int.from_bytes(self.iv, "big"), b""
        async with reading(chunks) as plain:
            async for chunk in plain:
                rest += chunk
                whole = len(rest) - len(rest) % BLOCK
                if whole:
                    yield await crypto.ctr(self.key, counter.to_bytes(IV, "big"), rest[:whole])
                    counter = (counter + whole // BLOCK) % _COUNTERS
                    rest = rest[whole:]
        if rest:
            yield await crypto.ctr(self.key, counter.to_bytes(IV, "big"), rest)


Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """A public key for which a content key is wrapped.

    Parameters:
        key_id: the DID URL of its root.
        named: the record carries it, for others to wrap for it too: a context's key, or a root itself, which then is
            used as it is, without deriving.
    """

    key_id: str
    scheme: Scheme
    public_jwk: Jwk
    named: bool = False


async def wrapped(crypto: Crypto, content: ContentKey, target: Target) -> Entry:
    """Wrap a content key for one target with a key of secp256k1, as an entry of `keyEncryption`."""
    cryptogram = await encrypt(crypto, target.public_jwk, content.key)
    entry = {
        "rootKeyId": target.key_id,
        "derivationScheme": target.scheme,
        "algorithm": "ECIES-ES256K",
        "encryptedKey": b64url_encode(cryptogram.ciphertext),
        "initializationVector": b64url_encode(cryptogram.nonce),
        "ephemeralPublicKey": public_part(cryptogram.ephemeral_public_jwk),
        "messageAuthenticationCode": b64url_encode(cryptogram.tag),
    }
    return entry | ({"derivedPublicKey": public_part(target.public_jwk)} if target.named else {})


def encryption_property(content: ContentKey, entries: Iterable[Entry]) -> dict[str, Any]:
    """Return the `encryption` of a RecordsWrite whose data `content` encrypts."""
    return {
        "algorithm": "A256CTR",
        "initializationVector": b64url_encode(content.iv),
        "keyEncryption": list(entries),
    }


def entries_of(message: Message) -> list[Entry]:
    """Return the wrapped keys of a record, none if it is not encrypted, or raise EncryptionError."""
    encryption = message.get("encryption")
    if encryption is None:
        return []
    try:
        entries: list[Entry] = _SCHEMA.check(encryption)["keyEncryption"]
    except BadRequest as error:
        raise EncryptionError(f"The encryption of the record is malformed: {error.message}") from error
    return entries


async def content_key(crypto: Crypto, message: Message, keys: Sequence[DerivedKey]) -> ContentKey:
    """Unwrap the content key of an encrypted record.

    Parameters:
        keys: those that are known; one with an empty path is a root.

    Raises:
        KeyMissing: none of them opens it.
        EncryptionError: the property is malformed or was changed, or one of the keys should open it and does not.
    """
    failures: list[CryptoError | EncryptionError] = []
    entries = entries_of(message)
    for entry in entries:
        for key in keys:
            if (key.root_key_id, key.scheme) != (entry["rootKeyId"], entry["derivationScheme"]):
                continue
            try:
                return await _unwrapped(crypto, message, entry, key)
            except (CryptoError, EncryptionError) as error:
                failures.append(error)
    if failures:
        raise EncryptionError(f"The key for this record does not open it: {failures[0]}") from failures[0]
    raise KeyMissing([(entry["rootKeyId"], entry["derivationScheme"]) for entry in entries])


async def _unwrapped(crypto: Crypto, message: Message, entry: Entry, key: DerivedKey) -> ContentKey:
    jwk, named = await key.jwk(crypto), entry.get("derivedPublicKey")
    # Where the entry carries the public key of the root itself, it was wrapped for that, without deriving.
    if key.path or named is None or thumbprint(dict(named)) != thumbprint(jwk):
        jwk = await key.at(path_for(key.scheme, message)).jwk(crypto)
    cryptogram = Cryptogram(
        dict(entry["ephemeralPublicKey"]),
        b64url_decode(entry["initializationVector"]),
        b64url_decode(entry["messageAuthenticationCode"]),
        b64url_decode(entry["encryptedKey"]),
    )
    content = await decrypt(crypto, jwk, cryptogram)
    iv = b64url_decode(message["encryption"]["initializationVector"])
    if len(content) != KEY or len(iv) != IV:
        raise EncryptionError(f"AES-256-CTR has a key of {KEY} bytes and {IV} bytes to begin with.")
    return ContentKey(content, iv)
