"""From a DID URL to what it names (DID Core, section 7.2; `@web5/dids` `universal-resolver.ts` dereference)."""

from __future__ import annotations

from web5.dids.models import DidDereferencingResult
from web5.dids.resolver import DidResolver
from web5.dids.uri import parse_did

CONTENT_TYPE = "application/did+json"


async def dereference(resolver: DidResolver, did_url: str) -> DidDereferencingResult:
    """The verification method or service that the fragment of a DID URL names, or the document if it has none.

    As in the reference a URL with a query leads to the document too, and a path is passed over; a method that stands
    in a verification relationship is found here as well.

    Never raises: what went wrong is in `dereferencing_metadata`, invalidDidUrl, notFound, or what the resolution says.
    """
    url = parse_did(did_url)
    if url is None:
        return DidDereferencingResult.failed("invalidDidUrl", f"Invalid DID URL: {str(did_url)[:100]}")
    resolution = await resolver.resolve(url.uri)
    document = resolution.did_document
    if document is None:
        return DidDereferencingResult(dereferencing_metadata=dict(resolution.did_resolution_metadata))
    metadata = {"contentType": CONTENT_TYPE}
    if not url.fragment or url.query:
        return DidDereferencingResult(
            dereferencing_metadata=metadata,
            content_stream=document,
            content_metadata=dict(resolution.did_document_metadata),
        )
    wanted = f"{url.uri}#{url.fragment}"
    parts = [*(document.service or ()), *document.verification_methods]
    part = next((part for part in parts if document.absolute(part.id) == wanted), None)
    if part is None:
        return DidDereferencingResult.failed("notFound", f"{url.uri} has neither a key nor a service #{url.fragment}")
    return DidDereferencingResult(dereferencing_metadata=metadata, content_stream=part)
