"""Keys that open some records and no others, derived from one root key (dwn-sdk-js src/utils/hd-key.ts, records.ts).

A key has a path of texts from its root, and each step down is an HKDF, which cannot be undone: the key at a path gives
those below it, and none beside or above it. Deriving takes the private key; so a public key for a path is either made
by the root's owner, or found where the owner has put it, in a protocol definition or in a record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from web5.crypto.ecies import CURVE
from web5.crypto.encoding import b64url_decode
from web5.crypto.jose.jwk import key_material
from web5.crypto.kdf import hkdf
from web5.dwn.values.types import Message
from web5.errors import CryptoError, EncryptionError
from web5.ports.crypto import Crypto, Jwk

Scheme = Literal["dataFormats", "protocolContext", "protocolPath", "schemas"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
_ALGORITHM = "ES256K"


def path_for(scheme: Scheme, message: Message) -> tuple[str, ...]:
    """Return the path of a record's key, or raise EncryptionError where the scheme does not fit the record.

    Parameters:
        message: the RecordsWrite; it need not be signed yet.
    """
    descriptor, context_id = message["descriptor"], message.get("contextId")
    schema = descriptor.get("schema")
    if scheme == "dataFormats":
        return (scheme, *([] if schema is None else [schema]), descriptor["dataFormat"])
    if scheme == "schemas":
        if schema is None:
            raise EncryptionError("A record without a schema has no key by schema; its key can be by data format.")
        return (scheme, schema)
    if scheme == "protocolPath":
        if "protocol" not in descriptor or "protocolPath" not in descriptor:
            raise EncryptionError("A record of no protocol has no key by protocol path; its key can be by schema.")
        return (scheme, descriptor["protocol"], *descriptor["protocolPath"].split("/"))
    if not context_id:
        raise EncryptionError("A record without a context has no key by context; its key can be by schema.")
    return (scheme, context_id.partition("/")[0])


@dataclass(frozen=True, slots=True)
class DerivedKey:
    """A private key that opens the records at and below its path.

    Parameters:
        root_key_id: the DID URL of the key that it comes from.
        path: from the root, the scheme's name first; empty for the root itself.
        private: a scalar of secp256k1, 32 bytes.
    """

    root_key_id: str
    scheme: Scheme
    path: tuple[str, ...]
    private: bytes = field(repr=False)

    def at(self, path: Sequence[str]) -> DerivedKey:
        """Derive the key at a path from the root, or raise EncryptionError where it does not lead through this key."""
        own = len(self.path)
        if tuple(path[:own]) != self.path:
            raise EncryptionError(f"The key at {self.path} does not lead to {tuple(path)}.")
        private = self.private
        for step in path[own:]:
            if not step:
                raise EncryptionError("A key's path has no empty steps.")
            try:
                private = hkdf("sha256", private, info=step.encode())
            except UnicodeEncodeError as error:
                raise EncryptionError(f"A key's path is Unicode text, and {step!r} is not.") from error
        return replace(self, path=tuple(path), private=private)

    async def jwk(self, crypto: Crypto) -> Jwk:
        """Return the private JWK, as the reference's `Secp256k1.privateKeyToJwk` writes it."""
        return {"alg": _ALGORITHM, **await crypto.private_key(CURVE, self.private)}

    async def to_wire(self, crypto: Crypto) -> dict[str, Any]:
        """Return the key in the shape in which it is given to somebody else (`DerivedPrivateJwk`)."""
        return {
            "rootKeyId": self.root_key_id,
            "derivationScheme": self.scheme,
            "derivationPath": list(self.path),
            "derivedPrivateKey": await self.jwk(crypto),
        }

    @classmethod
    def from_wire(cls, value: Any) -> DerivedKey:
        """Read a `DerivedPrivateJwk`, or raise EncryptionError."""
        try:
            root_key_id, scheme, path = value["rootKeyId"], value["derivationScheme"], value.get("derivationPath", [])
            jwk = value["derivedPrivateKey"]
            if not isinstance(root_key_id, str) or scheme not in SCHEMES or key_material(jwk).curve != CURVE:
                raise EncryptionError("This is not a derived key: its ID, scheme or curve is wrong.")
            if not isinstance(path, list) or not all(isinstance(step, str) for step in path):
                raise EncryptionError("This is not a derived key: its path is not a list of texts.")
            private = b64url_decode(jwk["d"])
        except (CryptoError, KeyError, TypeError, AttributeError) as error:
            raise EncryptionError(f"This is not a derived key: {error}") from error
        return cls(root_key_id, scheme, tuple(path), private)


@dataclass(frozen=True, slots=True)
class RootKey:
    """The key of an identity, from which the keys of its records are derived.

    Parameters:
        key_id: the DID URL of the verification method.
        private: a scalar of secp256k1, 32 bytes.
    """

    key_id: str
    private: bytes = field(repr=False)

    def derive(self, scheme: Scheme, path: Sequence[str]) -> DerivedKey:
        """Derive the key at a path, as `DerivedKey.at` does."""
        return DerivedKey(self.key_id, scheme, (), self.private).at(path)


def public_part(jwk: Jwk) -> Jwk:
    """Return a public or private JWK as the public key that the wire has."""
    return {"alg": _ALGORITHM} | {name: jwk[name] for name in ("kty", "crv", "x", "y")}


def fallback_root(key_id: str, private: bytes) -> RootKey:
    """Derive the root of an identity that has no secp256k1 key from a key that it has, on any device the same.

    The reference knows roots of secp256k1 only.
    """
    return RootKey(key_id, hkdf("sha256", private, info=b"web5-py: root of record encryption"))
