"""The addresses of records: what they say, and what is none."""

from __future__ import annotations

import pytest

from web5 import Drl
from web5.dwn.reading.drl import DEEPEST, LONGEST
from web5.errors import InvalidArgument

DID = "did:dht:cyuoqaf7itop8ohww4yn5ojg13qaq83r9zihgqntc5i9zwrfdfoo"
ID = "bafyreigvqtm7xjyyhgkkzvzxnblyfgcxykpmuezc2cwfdyphmsyqhjnlhi"
PROTOCOL = "https://example.org/profile"
IN_URL = "aHR0cHM6Ly9leGFtcGxlLm9yZy9wcm9maWxl"


@pytest.mark.parametrize(
    ("text", "drl"),
    [
        (f"https://dweb/{DID}/records/{ID}", Drl(DID, ID)),
        (f"https://dweb/{DID}/read/records/{ID}", Drl(DID, ID)),
        (f"http://dweb/{DID}/records/{ID}/", Drl(DID, ID)),
        (f"https://dweb/{DID}", Drl(DID)),
        (f"https://dweb/{DID}/", Drl(DID)),
        (f"https://dweb/did:web:localhost%3A8080/records/{ID}", Drl("did:web:localhost%3A8080", ID)),
        (f"https://dweb/{DID}/read/protocols/{IN_URL}/avatar", Drl(DID, None, PROTOCOL, "avatar")),
        (f"https://dweb/{DID}/protocols/read/{IN_URL}/a/b", Drl(DID, None, PROTOCOL, "a/b")),
        (f"https://dweb/{DID}/read/protocols/{IN_URL}/gr%C3%BC%C3%9Fe", Drl(DID, None, PROTOCOL, "grüße")),
    ],
)
def test_what_an_address_says(text: str, drl: Drl) -> None:
    assert Drl.parse(text) == drl
    assert Drl.parse(str(drl)) == drl


def test_addresses_are_those_of_a_dwn_behind_the_host() -> None:
    assert str(Drl(DID, ID)) == f"https://dweb/{DID}/records/{ID}"
    assert str(Drl(DID, protocol=PROTOCOL, protocol_path="a b")) == f"https://dweb/{DID}/read/protocols/{IN_URL}/a%20b"


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"https://dweb.example/{DID}/records/{ID}",
        f"https://dweb:444/{DID}/records/{ID}",
        f"https://dweb@example.org/{DID}/records/{ID}",
        f"ftp://dweb/{DID}/records/{ID}",
        "https://dweb/",
        f"https://dweb/alice/records/{ID}",
        f"https://dweb/{DID}?x/records/{ID}",
        f"https://dweb/{DID}/records/{ID}?x=1",
        f"https://dweb/{DID}/records/{ID}#x",
        f"https://dweb/{DID}/records/{ID}/..",
        f"https://dweb/{DID}/records/..",
        f"https://dweb/{DID}/records/%2e%2e",
        f"https://dweb/{DID}/records/{ID.upper()}",
        f"https://dweb/{DID}/records/{'a' * 101}",
        f"https://dweb/{DID}/records/",
        f"https://dweb/{DID}/query",
        f"https://dweb/{DID}/read/protocols/{IN_URL}",
        f"https://dweb/{DID}/read/protocols/{IN_URL}/../x",
        f"https://dweb/{DID}/read/protocols/{IN_URL}/%2e%2e/x",
        f"https://dweb/{DID}/read/protocols/{IN_URL}/a%2Fb",
        f"https://dweb/{DID}/read/protocols/{IN_URL}/a%00",
        f"https://dweb/{DID}/read/protocols/{IN_URL}/%FF",
        f"https://dweb/{DID}/read/protocols/{IN_URL}=/avatar",
        f"https://dweb/{DID}/read/protocols/{IN_URL}/{'/'.join('a' * (DEEPEST + 1))}",
        f"https://dweb/did:web:{'a' * 3000}/records/{ID}",
        f"https://dweb/{'a' * LONGEST}",
        7,
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(InvalidArgument, match="no DRL that can be used"):
        Drl.parse(text)


@pytest.mark.parametrize(
    "parts",
    [
        {"did": "alice"},
        {"did": f"{DID}/x"},
        {"did": f"{DID}#key"},
        {"did": DID, "record_id": ""},
        {"did": DID, "record_id": "../x"},
        {"did": DID, "record_id": ID, "protocol": PROTOCOL, "protocol_path": "a"},
        {"did": DID, "protocol": PROTOCOL},
        {"did": DID, "protocol_path": "a"},
        {"did": DID, "protocol": "", "protocol_path": "a"},
        {"did": DID, "protocol": PROTOCOL, "protocol_path": "a//b"},
    ],
)
def test_none_can_be_made(parts: dict[str, str]) -> None:
    with pytest.raises(InvalidArgument):
        Drl(**parts)
