"""The one form of a node's URL."""

from __future__ import annotations

import pytest

from web5.urls import LONGEST_ENDPOINT, has_userinfo, normal_endpoint, same_endpoint


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("http://h/a", "http://h/a"),
        ("http://h/a/", "http://h/a"),
        ("http://h/a//", "http://h/a"),
        ("http://h", "http://h"),
        ("http://h/", "http://h"),
        ("HTTP://H/a", "http://h/a"),
        ("https://H.Example.:443/A", "https://h.example/A"),
        ("http://h:80/a", "http://h/a"),
        ("http://h:0080/a", "http://h/a"),
        ("http://h.:8080/", "http://h:8080"),
        ("https://h:80/a", "https://h:80/a"),
        ("http://h/a#x", "http://h/a"),
        ("http://h/a?", "http://h/a"),
        ("http://h/a/?x=1 2#y", "http://h/a?x=1%202"),
        ("http://h/b/../a/.", "http://h/a"),
        (" http://h/a\n", "http://h/a"),
        ("http://h\\a", "http://h/a"),
        ("http://h/%7ea%2fb%c3%a4ä ", "http://h/~a%2Fb%C3%A4%C3%A4"),
        ("http://exämple.org", "http://xn--exmple-cua.org"),
        ("http://127.1/", "http://127.0.0.1"),
        ("http://[0:0::1]:3000", "http://[::1]:3000"),
        ("http://u:P@H/a", "http://u:P@h/a"),
    ],
)
def test_every_form_of_a_url_is_one(url: str, normal: str) -> None:
    assert normal_endpoint(url) == same_endpoint(url) == normal
    assert normal_endpoint(normal) == normal


@pytest.mark.parametrize(
    "url",
    [
        *("", "h/a", "ws://h", "ftp://h", "urn:x", "did:x:y", "http:", "http://", "http:h", "http:///a"),
        *("http://h:x", "http://h:99999", "http://[", "http://a b", "http://h/" + "x" * LONGEST_ENDPOINT),
    ],
)
def test_what_is_no_http_server_has_no_form(url: str) -> None:
    assert normal_endpoint(url) is None
    assert same_endpoint(url) == url


def test_names_and_passwords_are_seen() -> None:
    assert has_userinfo("http://u@h/a")
    assert not has_userinfo("http://h/a@b")
