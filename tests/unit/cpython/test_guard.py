"""Addresses at which websites of the public internet can be; `tests/security/test_guarded_client.py` has the rest."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web5.cpython.guard import is_public


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
        *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "100::1", "fe80::1"),
        *("fe80::1%1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "2001::1", "2001:2::1"),
        *("2002:7f00:1::1", "2002:808:808::1", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8"),
        *("4000::1", "5f00::1", "3fff::1"),
    ],
)
def test_no_website_is_there(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "2606:2800:220:1::1", "2001:4860:4860::8888", "64:ff9b::8.8.8.8"]
)
def test_a_website_may_be_there(address: str) -> None:
    assert is_public(address)


@given(st.sampled_from(["::ffff:{}", "64:ff9b::{}", "::{}"]), st.ip_addresses(v=4))
def test_an_address_within_another_is_no_better(form: str, inner: ipaddress.IPv4Address) -> None:
    assert is_public(form.format(inner)) <= is_public(str(inner))
