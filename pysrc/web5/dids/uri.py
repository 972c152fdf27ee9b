"""DIDs and DID URLs as strings (DID Core, section 3; the pattern is that of `@web5/dids` `did.ts`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from web5.lru import remember_short

_ID_CHARACTER = r"(?:[a-zA-Z0-9._-]|%[0-9a-fA-F]{2})"
_DID_URL = re.compile(
    rf"did:(?P<method>[a-z0-9]+):(?P<id>(?:{_ID_CHARACTER}*:)*{_ID_CHARACTER}+)"
    r"(?P<path>/[^#?]*)?(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?"
)
_MAX_LENGTH = 8192
"""Characters. No DID here comes near it, and a pattern with nested repetition should not meet a megabyte."""


@dataclass(frozen=True)
class DidUrl:
    """The components of a DID URL.

    Parameters:
        uri: the DID alone, without path, query and fragment.
    """

    uri: str
    method: str
    id: str
    path: str = ""
    query: str = ""
    fragment: str = ""


def parse_did(text: str) -> DidUrl | None:
    """Return the components of a DID or DID URL, or None if it is neither."""
    return _parse(text) if isinstance(text, str) and len(text) <= _MAX_LENGTH else None


@remember_short(256)
def _parse(text: str) -> DidUrl | None:
    match = _DID_URL.fullmatch(text)
    if match is None:
        return None
    parts = {name: value or "" for name, value in match.groupdict().items()}
    return DidUrl(uri=f"did:{parts['method']}:{parts['id']}", **parts)


def fragment_of(did_url: str) -> str:
    """Return the part behind the last '#', or the whole string if there is none (`did:dht:…#sig`, `#sig`, `sig`)."""
    return did_url.rpartition("#")[2]


def absolute_url(did: str, reference: str) -> str:
    """Resolve a reference in the document of a DID, such as `#sig`, to an absolute DID URL.

    Source: DID Core, section 3.2.2, "Relative DID URLs". A bare `sig` stands for `#sig`, as in `@web5/dids`
    `universal-resolver.ts` dereference and `verifier.js` of dwn-sdk-js.
    """
    if reference.startswith("did:"):
        return reference
    return did + reference if reference.startswith(("#", "?", "/")) else f"{did}#{reference}"
