"""The DWN service in the DID documents of this agent's own DIDs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from web5.dids import dht
from web5.dids.dht.bep44 import version_of
from web5.dids.models import DWN_SERVICE, DidDocument, PortableDid
from web5.dids.uri import fragment_of, parse_did
from web5.errors import DidError, IdentityError, InvalidArgument
from web5.urls import has_userinfo, normal_endpoint

_SHOWN = 100
_SEPARATORS = {",": "a comma", ";": "a semicolon"}
"""The characters that separate values in a document of did:dht."""


def checked_endpoints(urls: Sequence[str]) -> list[str]:
    """Return the URLs of DWNs in normal form, in their order, each once.

    Raises:
        InvalidArgument: one cannot be named in a DID document, which everybody reads; the message says why.
    """
    return list(dict.fromkeys(map(_checked, urls)))


def _checked(url: str) -> str:
    shown, endpoint = repr(url)[:_SHOWN], normal_endpoint(url) if isinstance(url, str) else None
    if endpoint is None:
        raise InvalidArgument(f"{shown} is not the URL of a DWN: it begins with https:// or http://.")
    if has_userinfo(endpoint):
        raise InvalidArgument("That URL has a name or password in it, which everybody would read: leave it out.")
    for character, name in _SEPARATORS.items():
        if character in endpoint:
            raise InvalidArgument(f"{shown} has {name} in it, which a DID document cannot carry.")
    return endpoint


def with_dwn_endpoints(portable_did: PortableDid, urls: Sequence[str], now: int) -> PortableDid:
    """Return the DID with other DWN endpoints in its document, as a version that is newer than every one before.

    Parameters:
        urls: the endpoints, in the order in which others are to ask them; none removes the service.
        now: microseconds since 1970.

    Raises:
        InvalidArgument: as `checked_endpoints`; or the document could not be published with them, because it is too
            large, say.
        IdentityError: documents of the DID's method cannot be changed.
    """
    did = parse_did(portable_did.uri)
    if did is None or did.method != "dht":
        raise IdentityError(f"The document of {portable_did.uri} follows from its key: it cannot name other nodes.")
    endpoints = checked_endpoints(urls)
    document = with_service(portable_did, endpoints)
    metadata = portable_did.metadata
    if not set(endpoints) <= set(portable_did.document.dwn_endpoints):  # removing some mends one that is too large
        _check_publishable(document, metadata)
    version = max(dht.sequence_at(now), version_of(metadata) + 1)
    changed = {"document": document, "metadata": {**metadata, "published": False, "versionId": str(version)}}
    return portable_did.model_copy(update=changed)


def with_service(portable_did: PortableDid, endpoints: Sequence[str]) -> DidDocument:
    """Return the document with these endpoints in the place of those that it has; none removes the service."""
    wire: dict[str, Any] = portable_did.document.to_wire()
    services = [
        service
        for service in wire.pop("service", ())
        if service["type"] != DWN_SERVICE and fragment_of(service["id"]) != "dwn"
    ]
    if endpoints:
        before = portable_did.document.dwn_services
        custom = before[0].to_wire() if before else {"enc": "#enc", "sig": "#sig"}
        own = {"id": f"{portable_did.uri}#dwn", "type": DWN_SERVICE, "serviceEndpoint": list(endpoints)}
        services.append(custom | own)
    if services:
        wire["service"] = services
    return DidDocument.from_wire(wire)


def _check_publishable(document: DidDocument, metadata: dict[str, Any]) -> None:
    try:
        dht.to_packet(
            document, types=metadata.get("types") or (), previous=dht.PreviousDidProof.from_metadata(metadata)
        )
    except DidError as error:
        reason = str(error).removeprefix(f"{error.code}: ")
        raise InvalidArgument(f"These nodes cannot be published. Nothing was changed: {reason}.") from error
