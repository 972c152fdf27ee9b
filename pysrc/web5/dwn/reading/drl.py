"""Decentralized resource locators: `https://dweb/{did}/…`, the address of a record wherever its DWNs are.

What follows the DID is a path of a DWN's read-only routes: `records/{id}`, or `read/protocols/{protocol}/{path}` for
the newest record at a place of a protocol. The DID alone stands for its document. `query?filter.…`, `query/protocols`
and `read/protocols/{protocol}` ask about what there is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.dids.uri import parse_did
from web5.dwn.reading.parameters import MOST, nested, question
from web5.errors import CryptoError, InvalidArgument

ORIGIN = "https://dweb"
LONGEST = 8192
"""Characters of a DRL."""

LONGEST_DID = 2048
DEEPEST = 20
"""Types in the path of a protocol."""

_DRL = re.compile(r"https?://dweb/([^/?#]+)(?:/([^?#]*))?")
_RECORD_ID = re.compile(r"[a-z0-9]{1,100}")
_RECORD = re.compile(r"(?:read/)?records/([^/]+)")
_QUERY = re.compile(
    r"https?://dweb/(?P<did>[^/?#]+)/(?P<asked>query/protocols|query|read/protocols/(?P<protocol>[^/?#]+))/?"
    r"(?:\?(?P<parameters>[^#]*))?"
)
_PLACE = re.compile(r"(?:read/protocols|protocols/read)/([^/]+)/(.+)")


@dataclass(frozen=True)
class Drl:
    """The address of a record in the DWNs of a DID; `str` gives its text.

    Parameters:
        did: the DID in whose DWNs it is.
        record_id: of the record; or, in its place:
        protocol, protocol_path: where the newest record of a protocol is, such as its only "avatar".

    Raises:
        InvalidArgument: it is no DID, no ID of a record, or no path; or both are given.
    """

    did: str
    record_id: str | None = None
    protocol: str | None = None
    protocol_path: str | None = None

    def __post_init__(self) -> None:
        parsed = parse_did(self.did)
        if parsed is None or parsed.uri != self.did or len(self.did) > LONGEST_DID:
            raise _refused(f"{_shown(self.did)} is no DID")
        if self.record_id is not None and (self.protocol is not None or self.protocol_path is not None):
            raise _refused("it names a record by its ID, or by a protocol and a path there, not by both")
        if self.record_id is not None and not _matches(_RECORD_ID, self.record_id):
            raise _refused(f"{_shown(self.record_id)} is no ID of a record")
        if (self.protocol is None) != (self.protocol_path is None):
            raise _refused("a protocol and a path there go together")
        if self.protocol == "" or (self.protocol_path is not None and not _is_path(self.protocol_path)):
            raise _refused(f"{_shown(self.protocol_path)} is no path of a protocol")

    @classmethod
    def parse(cls, text: str) -> Drl:
        """Read a DRL.

        Raises:
            InvalidArgument: it is none, or has more in it than a DID and a record.
        """
        if not isinstance(text, str) or len(text) > LONGEST:
            raise _refused(f"it is a text of at most {LONGEST} characters")
        found = _DRL.fullmatch(text)
        if found is None:
            raise _refused(f"it has the form {ORIGIN}/{{did}}/records/{{id}}, and no parameters")
        did, path = found[1], (found[2] or "").removesuffix("/")
        if not path:
            return cls(did)
        if record := _RECORD.fullmatch(path):
            return cls(did, record_id=record[1])
        if place := _PLACE.fullmatch(path):
            return cls(did, protocol=_protocol(place[1]), protocol_path=_decoded(place[2]))
        raise _refused("behind the DID comes records/{id}, or read/protocols/{protocol}/{path}")

    def __str__(self) -> str:
        if self.record_id is not None:
            return f"{ORIGIN}/{self.did}/records/{self.record_id}"
        if self.protocol is None or self.protocol_path is None:
            return f"{ORIGIN}/{self.did}"
        protocol = b64url_encode(self.protocol.encode())
        return f"{ORIGIN}/{self.did}/read/protocols/{protocol}/{quote(self.protocol_path)}"


@dataclass(frozen=True)
class DrlQuery:
    """A question to the DWNs of a DID, as an address.

    Parameters:
        did: the DID whose DWNs are asked.
        records: for which records, as `parameters.question` gives it; None: it is asked for protocols.
        protocol: the one that is asked for; None: all of them.
    """

    did: str
    records: dict[str, Any] | None = None
    protocol: str | None = None

    @classmethod
    def parse(cls, text: str) -> DrlQuery | None:
        """Read a question; None: it is the address of something else, or none.

        Raises:
            InvalidArgument: something in the question is wrong.
        """
        if len(text) > LONGEST or (found := _QUERY.fullmatch(text)) is None:
            return None
        did, asked = Drl(found["did"]).did, found["asked"]
        if asked != "query":
            return cls(did, None, None if found["protocol"] is None else _protocol(found["protocol"]))
        try:
            pairs = parse_qsl(found["parameters"] or "", keep_blank_values=True, max_num_fields=MOST, errors="strict")
            return cls(did, question(nested(pairs)))
        except ValueError as error:
            raise _refused(str(error)) from error


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_path(path: object) -> bool:
    if not isinstance(path, str):
        return False
    parts = path.split("/")
    return len(parts) <= DEEPEST and all(part not in ("", ".", "..") and part.isprintable() for part in parts)


def _protocol(text: str) -> str:
    try:
        return b64url_decode(text).decode()
    except (CryptoError, UnicodeDecodeError) as error:
        raise _refused("the protocol in it is the protocol's URI in base64url") from error


def _decoded(path: str) -> str:
    parts = path.split("/")
    if any("/" in unquote(part) for part in parts):
        raise _refused("a type of a protocol has no slash in its name")
    try:
        return "/".join(unquote(part, errors="strict") for part in parts)
    except UnicodeDecodeError as error:
        raise _refused("its path is not UTF-8") from error


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _refused(reason: str) -> InvalidArgument:
    return InvalidArgument(f"This is no DRL that can be used: {reason}.")
