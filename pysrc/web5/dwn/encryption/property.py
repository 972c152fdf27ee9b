"""The `encryption` of a RecordsWrite: the content key, wrapped once for each key that may open it.

Sources: `RecordsWrite.createEncryptionProperty` and `Records.decrypt` of dwn-sdk-js. The wire has ECIES over secp256k1
and nothing else there (`ECIES-ES256K`), so X25519 keys cannot be wrapped for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from web5.crypto.ecies import Cryptogram, decrypt, encrypt
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.jwk import thumbprint
from web5.dwn.encryption.content import IV, KEY, ContentKey
from web5.dwn.encryption.derivation import DerivedKey, Message, Scheme, path_for, public_part
from web5.errors import CryptoError, EncryptionError, KeyMissing, first_error
from web5.ports.crypto import Crypto, Jwk

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """A public key that a content key is wrapped for.

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
    """The entry of `keyEncryption` for one target.

    Raises:
        CryptoError: its key is not one of secp256k1.
    """
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
    """The property for data that `content` encrypts."""
    return {
        "algorithm": "A256CTR",
        "initializationVector": b64url_encode(content.iv),
        "keyEncryption": list(entries),
    }


def entries_of(message: Message) -> list[Entry]:
    """The wrapped keys of a record; none, if it is not encrypted.

    Raises:
        EncryptionError: its `encryption` has not the wire's shape.
    """
    encryption = message.get("encryption")
    if encryption is None:
        return []
    try:
        return cast(list[Entry], _shape().validate_python(encryption)["keyEncryption"])
    except ValidationError as error:
        raise EncryptionError(f"The encryption of the record is malformed, {first_error(error)}") from error


async def content_key(crypto: Crypto, message: Message, keys: Sequence[DerivedKey]) -> ContentKey:
    """The content key of an encrypted record.

    Parameters:
        keys: those that are at hand; with an empty path, a root.

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
    jwk = await key.jwk(crypto)
    if key.path or not _same_key(entry.get("derivedPublicKey"), jwk):
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


def _same_key(named: Mapping[str, Any] | None, jwk: Jwk) -> bool:
    """Whether the key that an entry carries is this one: it was wrapped for a root, not for what is derived of it."""
    return named is not None and thumbprint(dict(named)) == thumbprint(jwk)


@lru_cache(maxsize=1)
def _shape() -> TypeAdapter[Any]:
    from web5.dwn.messages.shapes import Encryption  # built when the first encrypted record is read, not at the start

    return TypeAdapter(Encryption)
