"""Domain names; `tests/interop/engine/test_texts.py` holds them against Node's."""

from __future__ import annotations

import pytest

from web5.domains import domain_to_ascii


@pytest.mark.parametrize(
    ("domain", "ascii"),
    [
        ("Example.ORG", "example.org"),
        ("a-.-_b..", "a-.-_b.."),
        ("Faß.example", "xn--fa-hia.example"),
        ("XN--FA-HIA.example", "xn--fa-hia.example"),
        ("bücher。example", "xn--bcher-kva.example"),
        ("a\u00adb", "ab"),
        ("אב.example", "xn--4dbc.example"),
        ("\u0915\u094d\u200d\u0937", "xn--11b2ezcw70k"),
    ],
)
def test_domains(domain: str, ascii: str) -> None:
    assert domain_to_ascii(domain) == ascii
    assert domain_to_ascii(ascii) == ascii


@pytest.mark.parametrize(
    "domain", ["xn--", "xn--a", "xn--a-ecp", "xn--zca-", "a\u200db", "\u0301a", "אa", "\U00010fff"]
)
def test_what_is_no_domain(domain: str) -> None:
    with pytest.raises(ValueError):
        domain_to_ascii(domain)
