"""The DWN service in the DID documents of this agent's own DIDs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from web5.dids import dht
from web5.dids.dht.bep44 import version_of
from web5.dids.models import DWN_SERVICE, DidDocument, PortableDid
from web5.dids.uri import fragment_of, parse_did
from web5.errors import IdentityError, InvalidArgument


def with_dwn_endpoints(portable_did: PortableDid, urls: Sequence[str], now: int) -> PortableDid:
    """Return the DID with other DWN endpoints in its document, as a version that is newer than every one before.

    Parameters:
        urls: the endpoints, in the order in which others are to ask them; none removes the service.
        now: microseconds since 1970.

    Raises:
        InvalidArgument: one is not a URL of http or https.
        IdentityError: documents of the DID's method cannot be changed.
    """
    did = parse_did(portable_did.uri)
    if did is None or did.method != "dht":
        raise IdentityError(f"The document of {portable_did.uri} follows from its key: it cannot name other nodes.")
    for url in urls:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
            raise InvalidArgument(f"{url!r} is not the URL of a DWN: it begins with https:// or http://.")
    version = max(dht.sequence_at(now), version_of(portable_did.metadata) + 1)
    return portable_did.model_copy(
        update={
            "document": with_service(portable_did, urls),
            "metadata": {**portable_did.metadata, "published": False, "versionId": str(version)},
        }
    )


def with_service(portable_did: PortableDid, urls: Sequence[str]) -> DidDocument:
    """Return the document with these endpoints in the place of those that it has; none removes the service."""
    wire: dict[str, Any] = portable_did.document.to_wire()
    services = [
        service
        for service in wire.pop("service", ())
        if service["type"] != DWN_SERVICE and fragment_of(service["id"]) != "dwn"
    ]
    if urls:
        before = portable_did.document.dwn_services
        custom = before[0].to_wire() if before else {"enc": "#enc", "sig": "#sig"}
        own = {"id": f"{portable_did.uri}#dwn", "type": DWN_SERVICE, "serviceEndpoint": list(dict.fromkeys(urls))}
        services.append(custom | own)
    if services:
        wire["service"] = services
    return DidDocument.from_wire(wire)
