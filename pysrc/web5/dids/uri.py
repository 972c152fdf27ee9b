"""DIDs and DID URLs as texts (DID Core, section 3; the pattern is `@web5/dids` `did.ts`'s)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_ID_CHARACTER = r"(?:[a-zA-Z0-9._-]|%[0-9a-fA-F]{2})"
_DID_URL = re.compile(
    rf"did:(?P<method>[a-z0-9]+):(?P<id>(?:{_ID_CHARACTER}*:)*{_ID_CHARACTER}+)"
    r"(?P<path>/[^#?]*)?(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?"
)
_LONGEST = 8192
"""Characters. No DID here comes near it, and a pattern with nested repetition should not meet a megabyte."""


@dataclass(frozen=True)
class DidUrl:
    """A DID URL, taken apart.

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
    """A DID or DID URL, or None if it is neither."""
    return _parse(text) if isinstance(text, str) and len(text) <= _LONGEST else None


@lru_cache(maxsize=256)
def _parse(text: str) -> DidUrl | None:
    match = _DID_URL.fullmatch(text)
    if match is None:
        return None
    parts = {name: value or "" for name, value in match.groupdict().items()}
    return DidUrl(uri=f"did:{parts['method']}:{parts['id']}", **parts)


def fragment_of(did_url: str) -> str:
    """The part behind the last '#', or the whole text where there is none (`did:dht:…#sig`, `#sig` and `sig`)."""
    return did_url.rpartition("#")[2]
