"""The identity in an archive: its keys as the person wants them, its document, and its signature over the manifest."""

from __future__ import annotations

import json
from typing import Any

from web5.agent.identities import export_portable_identity, parse_portable_identity
from web5.agent.vault.wrapping import ITERATIONS, check_new_password
from web5.archive.format import (
    IDENTITY,
    MOST_OTHER,
    SEALED_IDENTITY,
    SIGNATURE,
    Keys,
    Manifest,
    check_digest,
    parse_json,
)
from web5.archive.zip_reader import ZipReader
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.jose import jwe
from web5.crypto.jose.jwe import Password
from web5.crypto.jose.jws import MessageSigner, sign, signing_input
from web5.dids.dht import identity_key
from web5.dids.keys import signing_method
from web5.dids.models import DidDocument, PortableDid
from web5.dids.resolver import DidResolver
from web5.dids.uri import parse_did
from web5.dwn.signatures.jws import key_id_of
from web5.errors import (
    ArchiveError,
    BadRequest,
    CryptoError,
    DidError,
    IdentityError,
    InvalidArgument,
    VaultLocked,
    WrongPassword,
)
from web5.ports.crypto import Crypto


def check_keys(keys: Keys, password: str | None) -> None:
    """Check how the private keys are to be exported.

    Raises:
        InvalidArgument: they are to be encrypted, and the password is missing, or too short; or the other way round.
    """
    if keys not in ("encrypted", "plain", "none"):
        raise InvalidArgument(f'keys={keys!r}: "encrypted", "plain" or "none"')
    if keys == "encrypted" and password is None:
        raise InvalidArgument(
            'the private keys are encrypted by a password: give one, or keys="none" to leave them out, or keys="plain"'
            " to have whoever reads the archive be you"
        )
    if keys != "encrypted" and password is not None:
        raise InvalidArgument(f"nothing is encrypted by the password with keys={keys!r}")
    check_new_password(password)


async def identity_files(
    portable_did: PortableDid, name: str, *, keys: Keys, password: str | None, crypto: Crypto
) -> dict[str, bytes]:
    """Return the files of an identity, by their names."""
    whole = export_portable_identity(portable_did, name)
    shown = whole if keys == "plain" else export_portable_identity(_public(portable_did), name)
    files = {IDENTITY: _text(shown)}
    if password is not None:
        key = Password(password.encode(), ITERATIONS)
        files[SEALED_IDENTITY] = (await jwe.encrypt(crypto, _text(whole), key, header={"cty": "json"})).encode()
    return files


def _public(portable_did: PortableDid) -> PortableDid:
    return portable_did.model_copy(update={"private_keys": None})


def _text(value: Any) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


async def read_identity(archive: ZipReader, manifest: Manifest, password: str | None, crypto: Crypto) -> Any:
    """Return the portable identity with its private keys, not yet checked; None if the archive has none.

    Raises:
        VaultLocked: they are encrypted, and no password is given.
        WrongPassword: they are, by another.
        ArchiveError: there is no such file.
    """
    if manifest.keys == "none":
        return None
    name = IDENTITY if manifest.keys == "plain" else SEALED_IDENTITY
    file = next((file for file in manifest.files if file.name == name), None)
    if file is None:
        raise ArchiveError(name, "the manifest does not name it")
    content = await archive.read(name, MOST_OTHER)
    check_digest(file, content)
    if manifest.keys == "plain":
        return parse_json(name, content)
    if password is None:
        raise VaultLocked("The private keys in the archive are encrypted: give the password of its export.")
    try:
        opened = await jwe.decrypt(crypto, content.decode("ascii", "replace"), Password(password.encode()))
    except (CryptoError, UnicodeEncodeError) as error:
        raise WrongPassword("The archive does not open with this password.") from error
    return parse_json(name, opened)


async def checked_identity(identity: Any, did: str, resolver: DidResolver) -> PortableDid:
    """Return an archive's portable DID, whose document says what the DID itself does about its key.

    Raises:
        IdentityError: it is malformed, another's, or has a key that is not the DID's.
    """
    portable_did, _, connected_did = parse_portable_identity(identity)
    if portable_did.uri != did or connected_did is not None:
        raise IdentityError(f"The archive is said to be of {did}, and has the keys of {portable_did.uri}.")
    try:
        if await _signing_key(did, resolver) == (signing_method(portable_did.document).public_key_jwk or {}).get("x"):
            return portable_did
    except DidError as error:
        raise IdentityError(f"Nobody can say whether the keys are those of {did}: {error}") from error
    raise IdentityError(f"The archive's document of {did} has a key that is not that DID's.")


async def _signing_key(did: str, resolver: DidResolver) -> Any:
    parsed = parse_did(did)
    if parsed is not None and parsed.method == "dht":  # it is in the name, so that no network is needed
        return b64url_encode(identity_key(did))
    document = (await resolver.resolve(did)).did_document
    if document is None:
        raise DidError("notFound", f"{did} cannot be resolved")
    return (signing_method(document).public_key_jwk or {}).get("x")


async def manifest_signature(manifest: bytes, signer: MessageSigner) -> bytes:
    """Return the identity's signature over the manifest: a JWS in the general JSON serialization."""
    return json.dumps(await sign(manifest, [signer]), separators=(",", ":")).encode()


async def check_signature(archive: ZipReader, manifest: bytes, document: DidDocument, crypto: Crypto) -> None:
    """Check that the identity has signed this manifest.

    Raises:
        ArchiveError: it has not.
    """
    jws = parse_json(SIGNATURE, await archive.read(SIGNATURE, 2 * len(manifest) + MOST_OTHER))
    try:
        [entry] = jws["signatures"]
        method = document.methods_for("authentication").get(key_id_of(entry["protected"]))
        good = (
            b64url_decode(jws["payload"]) == manifest
            and method is not None
            and await crypto.verify(
                method.public_key_jwk or {},
                signing_input(entry["protected"], jws["payload"]),
                b64url_decode(entry["signature"]),
            )
        )
    except (BadRequest, CryptoError, KeyError, TypeError, ValueError) as error:
        raise ArchiveError(SIGNATURE, f"it is no signature: {error}") from error
    if not good:
        raise ArchiveError(SIGNATURE, f"{document.id} has not signed this manifest: nothing of the archive is taken")
