"""Packets that a gateway takes, and those that only a lenient reader does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from web5.crypto.encoding import b64url_encode, z32_decode
from web5.dids.dht.dns import Ns, Txt, encode_message
from web5.dids.dht.packet import deactivation_packet
from web5.dids.dht.strict import RECORDS_LIMIT, check_packet
from web5.errors import DidError

VECTORS = json.loads((Path(__file__).parents[1] / "vectors.json").read_text())
SUFFIX = "i9xkp8ddcbcg8jwq54ox699wuzxyifsqx4jru45zodqu453ksz6y"
DID = f"did:dht:{SUFFIX}"
KEY = f"t=0;k={b64url_encode(z32_decode(SUFFIX))}"
OTHER = f"t=0;k={b64url_encode(bytes(range(32)))}"


def _packet(root: str = "v=0;vm=k0;auth=k0", *more: tuple[str, str], key: str = KEY) -> bytes:
    records = [Txt(f"_{name}._did", text, 7200) for name, text in (("k0", key), *more)]
    return encode_message([*records, Txt(f"_did.{SUFFIX}", root, 7200)])


@pytest.mark.parametrize("vector", [*VECTORS["dht"], VECTORS["previous"]], ids=lambda vector: vector.get("name"))
def test_the_references_packets_are_taken(vector: Any) -> None:
    check_packet(vector["portable"]["uri"], bytes.fromhex(vector["packet"]))


@pytest.mark.parametrize(
    "packet",
    [
        _packet(),
        _packet("v=0;vm=k0;auth=k0;asm=k0;svc=s0", ("s0", "id=s;t=T;se=https://a.example;own=x,y")),
        _packet("v=0;vm=k0,k1;auth=k1,k0;agm=", ("k1", "id=enc;t=1;k=Atf6NCChxjWpnrfPt1WDVE4ipYVSvi4pXCq4SUjx0jT9")),
        _packet("v=0;vm=k0", ("aka", "did:example:a"), ("cnt", "did:example:b"), ("typ", "id=0,7")),
        _packet("v=0;vm=k0,k1", ("k1", KEY), key=OTHER),  # the reference puts keys where it was told to
        encode_message([Txt(f"_k0._did.{SUFFIX}", KEY, 1), Txt(f"_did.{SUFFIX}", "v=0;vm=k0", 1)]),
        encode_message([Ns(f"_did.{SUFFIX}", "gw.example", 1), Txt(f"_did.{SUFFIX}", "deactivated", 1)]),
        deactivation_packet(DID),
    ],
)
def test_a_packet_as_the_specification_has_it_is_taken(packet: bytes) -> None:
    check_packet(DID, packet)


@pytest.mark.parametrize(
    "packet",
    [
        encode_message([]),
        encode_message([Txt("_k0._did", KEY, 1)]),  # no root record
        encode_message([Txt("_k0._did", KEY, 1), Txt("_did", "v=0;vm=k0", 1)]),
        encode_message([Txt("_k0._did", KEY, 1), Txt(f"_did.y{SUFFIX[1:]}", "v=0;vm=k0", 1)]),  # of another key
        encode_message([Txt(f"_did.{SUFFIX}", "v=0", 1)]),  # no key at all
        encode_message([Ns("example.com", "gw.example", 1), Txt(f"_did.{SUFFIX}", "deactivated", 1)]),
        encode_message([Ns(f"_did.{SUFFIX}", "gw.example", 1)] * (RECORDS_LIMIT + 1)),
        encode_message([Txt(f"_did.{SUFFIX}", "deactivated", 1)] * 2),
        _packet("deactivated"),
        _packet("v=1;vm=k0"),
        _packet("vm=k0"),
        _packet("v=0;vm=k0;x=y"),
        _packet("v=0;vm=k0;vm=k0"),
        _packet("v=0;vm=k0;rubbish"),
        _packet("v=0;vm=k0,k1"),
        _packet("v=0;vm="),
        _packet("v=0;vm=k0;svc=s0"),
        _packet("v=0;vm=k0;auth=k1"),
        _packet("v=0;vm=k0;auth=s0;svc=s0", ("s0", "id=s;t=T;se=https://a.example")),
        _packet("v=0;vm=k0", ("s0", "id=s;t=T;se=https://a.example")),  # a service that is not named
        _packet("v=0;vm=k0;svc=s0", ("s0", "id=s;t=T")),
        _packet("v=0;vm=k0", ("k0", KEY)),  # twice
        _packet("v=0;vm=k0", ("x", "data")),
        _packet("v=0;vm=k0", ("typ", "id=x")),
        _packet("v=0;vm=k0", ("typ", "id=0;more=data")),
        _packet("v=0;vm=k0", ("prv", "data")),
        _packet(key=f"{KEY};x=data"),
        _packet(key=OTHER),
        _packet(key="t=9;k=AA"),
        _packet() + b"\0",
    ],
)
def test_whatever_else_is_refused(packet: bytes) -> None:
    with pytest.raises(DidError):
        check_packet(DID, packet)
