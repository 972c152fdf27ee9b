"""The packets that a gateway takes: a did:dht's to the last byte (https://did-dht.com, "DIDs as DNS Records").

Whoever reads a document is lenient (`web5.dids.dht.packet`); whoever keeps those of strangers would otherwise keep
anything for anybody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from web5.crypto.encoding import b64url_encode
from web5.dids.dht.dns import Ns, decode_strictly
from web5.dids.dht.identity import identity_key
from web5.dids.dht.packet import DEACTIVATED, RELATIONSHIP_NAMES, VERSION, from_packet
from web5.errors import DidError

RECORDS_LIMIT = 32
"""Records of a packet; the keys and services for which there is room are fewer."""

_LABEL = re.compile(r"_((?:k|s)(?:0|[1-9][0-9]?)|aka|cnt|typ|prv)\._did")
_MEMBERS = {"k": {"id", "t", "k", "a", "c"}, "typ": {"id"}, "prv": {"id", "s"}}
"""The members that the records of a key, of the types, and of a previous DID can have. A service can have any."""

_LISTS = {"vm": "k", "svc": "s"}
"""The root record's name of the list of all keys, and of all services, and how their labels begin."""


def check_packet(did_uri: str, packet: bytes) -> None:
    """Check that a packet is one of a did:dht, and has nothing else in it.

    Raises:
        DidError: invalidDidDocument, it is not; or as `web5.dids.dht.packet.from_packet`.
    """
    root_name = f"_did.{did_uri.rpartition(':')[2]}"
    records = decode_strictly(packet)
    if len(records) > RECORDS_LIMIT:
        raise _refused(f"it has more than {RECORDS_LIMIT} records")
    texts: dict[str, str] = {}
    for record in records:
        if isinstance(record, Ns) and record.name == root_name:
            continue
        label = _LABEL.fullmatch(record.name.removesuffix(root_name.removeprefix("_did")))
        name = "root" if record.name == root_name else label and label[1]
        if name is None or isinstance(record, Ns) or name in texts:
            raise _refused(f"the record {record.name[:100]!r} is of no use in it, or there twice")
        texts[name] = record.text
    if "root" not in texts:
        raise _refused(f"there is no record {root_name}")
    root = texts.pop("root")
    if root == DEACTIVATED:
        if texts:
            raise _refused("a DID that is deactivated has no other records")
        return
    _check_root(_properties(root), texts)
    for name, text in texts.items():
        members = _MEMBERS.get(name.rstrip("0123456789"))
        if members is not None and not _properties(text).keys() <= members:
            raise _refused(f"the record _{name} has members that it cannot have")
    document = from_packet(did_uri, packet).document
    key = b64url_encode(identity_key(did_uri))
    jwks = [method.public_key_jwk or {} for method in document.verification_methods]
    if not any(jwk.get("crv") == "Ed25519" and jwk.get("x") == key for jwk in jwks):
        raise _refused("the identity key is not among its keys")


def _check_root(root: Mapping[str, str], texts: Mapping[str, str]) -> None:
    if root.get("v") != str(VERSION) or not root.keys() <= {"v", *_LISTS, *RELATIONSHIP_NAMES}:
        raise _refused(f"the root record is none of version {VERSION}")
    for name, beginning in _LISTS.items():
        there = {label for label in texts if label[0] == beginning}
        if set(root[name].split(",") if name in root else ()) != there:
            raise _refused(f"{name} of the root record does not name exactly what there is")
    keys = {label for label in texts if label[0] == "k"} | {""}  # the reference writes "" for a key that it lacks
    if not all(keys.issuperset(root.get(name, "").split(",")) for name in RELATIONSHIP_NAMES):
        raise _refused("the root record names a key that is not there")


def _properties(text: str) -> dict[str, str]:
    """Read properties of which each is there once."""
    pairs = [pair.partition("=") for pair in text.split(";")]
    found = {name: value for name, _, value in pairs}
    if len(found) < len(pairs) or not all(equals for _, equals, _ in pairs):
        raise _refused(f"{text[:100]!r} is no list of properties")
    return found


def _refused(reason: str) -> DidError:
    return DidError("invalidDidDocument", f"this is no packet of a did:dht: {reason}")
