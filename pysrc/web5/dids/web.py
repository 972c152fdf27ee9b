"""did:web: the document is a file of a website (https://w3c-ccg.github.io/did-method-web; `@web5/dids` `did-web.ts`).

Invariants:
1. A document is requested over TLS only; from `localhost`, where that is allowed, over plain HTTP.
2. No DID names an IP address, and no resolution takes more than `MAX_BYTES` of an answer or `RESOLVE_SECONDS`.
3. A document is returned only if its `id` is this DID.
4. What a name or a redirect leads to is for the guarded `Http` to refuse.

Redirects are followed, as in the reference: who controls a site controls its DIDs. Invariant 3 holds for targets too.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from web5 import strict_json
from web5.dids.models import DidDocument, Resolved
from web5.dids.uri import DidUrl
from web5.errors import BodyTooLarge, DidError
from web5.ports.http import Http, get_document

RESOLVE_SECONDS = 20.0
MAX_BYTES = 64 * 1024

_HOST = re.compile(r"(?P<name>[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:(?P<port>[1-9][0-9]{0,4}))?", re.IGNORECASE)
_LAST_LABEL_OF_AN_ADDRESS = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
"""A host whose last label is a number is an IPv4 address to a browser (URL Standard, "ends in a number")."""

_SEGMENT = re.compile(r"[^/\\?#\x00-\x1f\x7f]+")
_DOTS = frozenset({".", ".."})
_GONE = frozenset({404, 410})


class DidWeb:
    """A `DidMethod` for did:web.

    Parameters:
        http: a guarded one: strangers choose the hosts.
        allow_localhost: resolve did:web:localhost over plain HTTP, for development. Not on a server: a stranger's DID
            would make it send requests to its own machine.
        timeout: seconds for a whole resolution.
    """

    name = "web"

    def __init__(self, http: Http, *, allow_localhost: bool = False, timeout: float = RESOLVE_SECONDS) -> None:
        self._http = http
        self._allow_localhost = allow_localhost
        self._timeout = timeout

    async def resolve(self, did: DidUrl) -> Resolved:
        """Fetch the document.

        Raises:
            DidError: invalidDid; notFound, the site has none; internalError, another status;
                invalidDidDocument and invalidDidDocumentLength, it is no document of the DID.
            RemoteError: the site was not reached, or is too slow.
        """
        url = document_url(did, allow_localhost=self._allow_localhost)
        headers = {"accept": "application/did+json, application/json"}
        try:
            status, body = await get_document(self._http, url, limit=MAX_BYTES, seconds=self._timeout, headers=headers)
        except BodyTooLarge as error:
            raise DidError("invalidDidDocumentLength", f"{url} has more than {MAX_BYTES} bytes") from error
        if status in _GONE:
            raise DidError("notFound", f"{url} is not there ({status})")
        if status != 200:
            raise DidError("internalError", f"{url} answered with {status}")
        return Resolved(_document(did.uri, url, body), {})


def document_url(did: DidUrl, *, allow_localhost: bool = False) -> str:
    """Return the URL of the document of a did:web.

    Raises:
        DidError: invalidDid, it has no valid host, port or path.
    """
    encoded_domain, *path = did.id.split(":")
    domain = unquote(encoded_domain)
    host = _HOST.fullmatch(domain)
    if host is None or ".." in domain or int(host["port"] or 0) > 0xFFFF:
        raise _invalid(did, f"{domain!r} is not the name of a host")
    if _LAST_LABEL_OF_AN_ADDRESS.fullmatch(host["name"].rpartition(".")[2]):
        raise _invalid(did, "a did:web names a host, not an IP address")
    if not all(_SEGMENT.fullmatch(segment) and segment not in _DOTS for segment in map(unquote, path)):
        raise _invalid(did, "its path has an empty or impossible segment")
    name = host["name"].lower()
    local = name == "localhost" or name.endswith(".localhost")
    if local and not allow_localhost:
        raise _invalid(did, "DIDs of localhost are not resolved here")
    scheme = "http" if local else "https"
    return f"{scheme}://{'/'.join([domain, *(path or ['.well-known'])])}/did.json"


def _invalid(did: DidUrl, reason: str) -> DidError:
    return DidError("invalidDid", f"{did.uri[:100]}: {reason}")


def _document(uri: str, url: str, body: bytes) -> DidDocument:
    try:
        document = DidDocument.from_wire(strict_json.parse(body.decode()))
    except ValueError as error:
        raise DidError("invalidDidDocument", f"{url} is not JSON: {error}") from error
    if document.id != uri:
        raise DidError("invalidDidDocument", f"{url} has the document of {document.id[:100]}, not of {uri[:100]}")
    return document
