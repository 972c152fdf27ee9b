"""Where a tenant's DWNs are: the `DecentralizedWebNode` services of its DID document."""

from __future__ import annotations

from web5.dids.models import DidDocument
from web5.dids.resolver import DidResolver
from web5.errors import DidError

SERVICE_TYPE = "DecentralizedWebNode"


def endpoints_of(document: DidDocument) -> list[str]:
    """The HTTP endpoints in the document's order, each once, without a slash at the end.

    Source: DIF DWN, "Service Endpoints"; a `serviceEndpoint` may be one URL or a list of them. Entries that are
    not URLs are left out.
    """
    found: dict[str, None] = {}
    for service in document.service or ():
        if service.type == SERVICE_TYPE:
            given = service.service_endpoint
            for url in given if isinstance(given, list) else [given]:
                if isinstance(url, str) and url.lower().startswith(("http://", "https://")):
                    found.setdefault(url.rstrip("/"))
    return list(found)


async def resolve_endpoints(resolver: DidResolver, did: str) -> list[str]:
    """The endpoints of a DID.

    Raises:
        DidError: the DID cannot be resolved now.
    """
    result = await resolver.resolve(did)
    if result.did_document is None:
        message = str(result.did_resolution_metadata.get("errorMessage", f"{did} cannot be resolved"))
        raise DidError(result.error or "internalError", message.removeprefix(f"{result.error}: "))
    return endpoints_of(result.did_document)
