"""The kinds of values that settings have, and what is wrong with one that is none of its kind."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from web5.node.s3.address import S3Address
from web5.node.serve import ADMIN, GATEWAY

_PATH = re.compile(r"/[A-Za-z0-9_-]{0,64}")
_NODE = re.compile(r"[A-Za-z0-9.-]{1,253}:([0-9]{1,5})")
_TAKEN = frozenset({GATEWAY, ADMIN, "/lock"})
"""The paths of the gateway and of the operator's page, and the file that says who uses the data folder, beside which
each node has its own."""

LEAST_TOKEN = 16
"""Characters of a token that nobody guesses."""


def _listed(value: Any) -> Any:
    """Take a text with commas, as flags and variables have it, for a list."""
    return [part for part in map(str.strip, value.split(",")) if part] if isinstance(value, str) else value


def _network(text: str) -> str:
    ip_network(text)
    return text


def _ipv4(text: str) -> str:
    return str(IPv4Address(text))


def _udp(text: str) -> str:
    if not (match := _NODE.fullmatch(text)) or not 0 < int(match[1]) < 65536:
        raise ValueError("a node of the DHT is like router.example.org:6881")
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("a URL is like https://dwn.example.org")
    return text


def _path(text: str) -> str:
    if not _PATH.fullmatch(text) or text in _TAKEN:
        *others, last = sorted(_TAKEN)
        raise ValueError(f"a path is / or one word behind it, such as /dwn0, and not {', '.join(others)} or {last}")
    return text


def is_url(text: str) -> bool:
    """Return True for what names a PostgreSQL database."""
    return text.startswith(("postgresql://", "postgres://"))


def database_url(text: str | None) -> str | None:
    """Return a text that names a PostgreSQL database. Raises ValueError if it does not."""
    if text is not None and not is_url(text):
        raise ValueError("a database is like postgresql://user@host/name")
    return text


def blobs_url(text: str | None) -> str | None:
    """Return a text that names a place in S3-compatible storage. Raises ValueError if it does not."""
    if text is not None:
        S3Address.parse(text)
    return text


def _token(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if len(text) < LEAST_TOKEN or not text.isascii() or not text.isprintable():
        raise ValueError(f"a token has at least {LEAST_TOKEN} characters, all of ASCII")
    return value


Url = Annotated[str, AfterValidator(_url)]
Listed = (NoDecode, BeforeValidator(_listed))
Network = Annotated[str, AfterValidator(_network)]
Address = Annotated[str, AfterValidator(_ipv4)]
UdpNode = Annotated[str, AfterValidator(_udp)]
DwnPath = Annotated[str, AfterValidator(_path)]
Token = Annotated[SecretStr, AfterValidator(_token)]
Count = Annotated[int, Field(ge=0, le=2**60)]
"""Bytes, messages or hashes; 0 bounds nothing."""
