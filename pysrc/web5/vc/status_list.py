"""Status lists of revoked or suspended credentials (W3C Status List 2021; `status-list-credential.ts`).

A list is itself a credential of the same issuer, published at a URL, with compressed bits in it; a credential names the
URL and the index of its bit.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any, Literal

from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.errors import CredentialError, CryptoError, InvalidArgument
from web5.ports.clock import Clock
from web5.vc.codes import Code
from web5.vc.models import CONTEXT, STATUS_LIST_CONTEXT, Json, VerifiableCredential, as_list

LIST_BITS = 16 * 1024 * 8
"""Size of new lists: 16 KiB, so that a credential is one of many (section 4.1)."""

MAX_LIST_BYTES = 16 << 20
"""Limit of an uncompressed list."""

ENTRY_TYPE = "StatusList2021Entry"
LIST_TYPE = "StatusList2021Credential"

Purpose = Literal["revocation", "suspension"]

_FROM_B64 = str.maketrans("+/", "-_", "=")


def entry(list_url: str, index: int, purpose: Purpose = "revocation") -> Json:
    """Return the `credential_status` of a new credential.

    Parameters:
        list_url: the URL at which the list is published.
        index: the credential's bit; unique within the list.

    Raises:
        InvalidArgument: the index is out of range.
    """
    if not 0 <= index < LIST_BITS:
        raise InvalidArgument(f"The index of a status list is between 0 and {LIST_BITS - 1}, not {index}.")
    return {
        "id": f"{list_url}#{index}",
        "type": ENTRY_TYPE,
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": list_url,
    }


def create(
    *,
    list_url: str,
    issuer: str,
    disabled: Iterable[VerifiableCredential],
    purpose: Purpose = "revocation",
    clock: Clock | None = None,
) -> VerifiableCredential:
    """Make the list by which exactly these credentials are revoked or suspended; not signed yet.

    Raises:
        InvalidArgument: one of them has no bit in this list, or two have the same.
    """
    bits = bytearray(LIST_BITS // 8)
    for credential in disabled:
        listed = {"statusListCredential": list_url, "statusPurpose": purpose}
        index = next((_index(one) for one in entries_of(credential) if one.items() >= listed.items()), None)
        if index is None or index >= LIST_BITS:
            raise InvalidArgument(f"Credential {credential.id} has no bit for {purpose} in the list {list_url}.")
        if _bit(bits, index):
            raise InvalidArgument(f"Two of the credentials have the index {index}.")
        bits[index // 8] |= 0x80 >> index % 8
    import gzip  # a start has no use for it

    packed = b64url_encode(gzip.compress(bits, mtime=0))
    made = VerifiableCredential.create(
        issuer=issuer,
        subject=list_url,
        type=LIST_TYPE,
        data={"type": "StatusList2021", "statusPurpose": purpose, "encodedList": packed},
        clock=clock,
    )
    return made.model_copy(update={"id": list_url, "context": [CONTEXT, STATUS_LIST_CONTEXT]})


def entries_of(credential: VerifiableCredential) -> list[Json]:
    """Return the status list entries of a credential; empty if its status cannot change.

    Raises:
        CredentialError: statusUnusable, an entry is of an unknown type.
    """
    entries = as_list(credential.credential_status or [])
    for one in entries:
        if one.get("type") != ENTRY_TYPE or not isinstance(one.get("statusListCredential"), str):
            raise _unusable(f"a credentialStatus other than {ENTRY_TYPE} is not known here")
    return entries


def is_disabled(status: Json, status_list: VerifiableCredential) -> bool:
    """Return True if a credential is revoked or suspended by a list.

    Parameters:
        status: the credential's entry.
        status_list: the verified list that it names.

    Raises:
        CredentialError: statusUnusable, the entry and the list do not belong together, or one is malformed.
    """
    says = status_list.subjects[0]
    if LIST_TYPE not in status_list.types or status_list.id != status.get("statusListCredential"):
        raise _unusable(f"what is at {status.get('statusListCredential')} is not that status list")
    if says.get("statusPurpose") != status.get("statusPurpose"):
        raise _unusable("the status list is for another purpose than the credential says")
    bits = _unpacked(says.get("encodedList"))
    index = _index(status)
    if index is None or index >= len(bits) * 8:
        raise _unusable("the status list has no bit for this credential")
    return _bit(bits, index)


def _index(status: Json) -> int | None:
    index = status.get("statusListIndex")
    return int(index) if isinstance(index, str) and index.isascii() and index.isdecimal() and len(index) < 10 else None


def _unpacked(encoded: Any) -> bytes:
    if not isinstance(encoded, str):
        raise _unusable("the status list has no text encodedList")
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        # The specification does not say which base64 is meant, and issuers use both.
        bits = unpacking.decompress(b64url_decode(encoded.translate(_FROM_B64)), MAX_LIST_BYTES)
    except (CryptoError, zlib.error) as error:
        raise _unusable("the encodedList of the status list is not compressed bits") from error
    if not unpacking.eof:
        raise _unusable("the encodedList of the status list is too large, or cut off")
    return bits


def _bit(bits: bytes | bytearray, index: int) -> bool:
    return bool(bits[index // 8] & 0x80 >> index % 8)


def _unusable(why: str) -> CredentialError:
    return CredentialError(Code.STATUS_UNUSABLE, why)
