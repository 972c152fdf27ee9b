"""URLs in one form, by the part of the WHATWG URL standard that this needs.

The browser's own `URL` is not used: normalized URLs are signed, hashed and compared, and must not depend on a browser
and its version.
"""

from __future__ import annotations

import ipaddress
import re

from web5.domains import domain_to_ascii
from web5.lru import remember_short

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21", "file": ""}
_FORBIDDEN_IN_HOST = frozenset("\0\t\n\r #/:<>?@[\\]^|")
_FORBIDDEN_IN_DOMAIN = _FORBIDDEN_IN_HOST | frozenset(map(chr, [*range(0x20), 0x7F])) | {"%"}
MAX_HOST = 1024
"""The limit for the characters of a host; names that can be resolved have 253 (RFC 1035)."""

_C0_AND_SPACE = "".join(map(chr, range(0x21)))
_KEEP_IN_PATH = frozenset(map(chr, range(0x21, 0x7F))) - frozenset('"#<>?`{}')
_KEEP_IN_USERINFO = _KEEP_IN_PATH - frozenset("/:;=@[\\]^|")
_KEEP_AFTER_C0 = frozenset(map(chr, range(0x20, 0x7F)))
_SINGLE_DOT = frozenset((".", "%2e"))
_DOUBLE_DOT = frozenset(("..", ".%2e", "%2e.", "%2e%2e"))
_KEEP_IN_QUERY = frozenset(map(chr, range(0x21, 0x7F))) - frozenset("\"#'<>")
_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_NAMES_HOST = re.compile(r"\s*https?://[^/\\]", re.IGNORECASE)
_SERVER = re.compile(r"(https?://)([^/]+?)\.?(:[0-9]+)?(/.*)?")

LONGEST_ENDPOINT = 2000
"""Characters of a server's URL: what a DID document, and every server, has room for."""


def serialize(url: str) -> str:
    """Return a URL as the standard writes it, without query and fragment; raise ValueError if it is none."""
    return _parse(url)[0]


@remember_short(1024)
def normal_endpoint(url: str) -> str | None:
    """Return the URL of an HTTP server in the one form in which it is compared and asked; None if it is none.

    Scheme and host are in lower case, the host is without the dot of the DNS root; there is no default port, fragment,
    empty query, or slash at the end; and what need not be percent-encoded is not (RFC 3986, section 6.2).
    """
    if len(url) > LONGEST_ENDPOINT or not _NAMES_HOST.match(url):
        return None
    try:
        text, query = _parse(url)
    except ValueError:
        return None
    match = _SERVER.fullmatch(text)
    if match is None:
        return None
    scheme, host, port, path = match.groups("")
    return f"{scheme}{host}{port}{_plain(path).rstrip('/')}" + (f"?{_plain(query)}" if query else "")


def same_endpoint(url: str) -> str:
    """Return a text that is the same for all forms of a server's URL, under which to keep what concerns the server."""
    return normal_endpoint(url) or url


def has_userinfo(endpoint: str) -> bool:
    """Return True if a URL in normal form has a name, or a password, before its host."""
    return "@" in endpoint.split("/")[2]


def _plain(text: str) -> str:
    """Return a part of a URL with the percent-encoding of unreserved characters undone, the rest in capitals."""

    def decoded(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if _UNRESERVED.fullmatch(character) else match[0].upper()

    return _ENCODED.sub(decoded, text)


def _parse(url: str) -> tuple[str, str]:
    """Return a URL without query and fragment, and its query."""
    url = re.sub(r"[\t\n\r]", "", url.strip(_C0_AND_SPACE))
    match = _SCHEME.match(url)
    if match is None:
        raise ValueError("no scheme")
    scheme = match[0][:-1].lower()
    rest, _, query = url[match.end() :].partition("#")[0].partition("?")
    return _hierarchy(scheme, rest), _encode(query, _KEEP_IN_QUERY)


def _hierarchy(scheme: str, rest: str) -> str:
    if scheme in _DEFAULT_PORTS:
        return _special(scheme, rest.replace("\\", "/"))
    if rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        return f"{scheme}://{_authority(scheme, authority)}" + (_path(path, scheme) if slash else "")
    if rest.startswith("/"):
        path = _path(rest[1:], scheme)
        # Without a host, a path that starts with two slashes would read as one.
        return f"{scheme}:/.{path}" if path.startswith("//") else f"{scheme}:{path}"
    return f"{scheme}:{_encode(rest, _KEEP_AFTER_C0).rstrip(' ')}"


def _special(scheme: str, rest: str) -> str:
    if scheme == "file":
        if not rest.startswith("//"):
            return f"file://{_path(rest.removeprefix('/'), scheme)}"
        host, _, path = rest[2:].partition("/")
        if re.fullmatch(r"[A-Za-z][:|]", host):
            host, path = "", f"{host}/{path}"
        host = _host(host, special=True) if host else ""
        return f"file://{'' if host == 'localhost' else host}{_path(path, scheme)}"
    authority, _, path = rest.lstrip("/").partition("/")
    if not authority:
        raise ValueError("no host")
    return f"{scheme}://{_authority(scheme, authority)}{_path(path, scheme)}"


def _authority(scheme: str, authority: str) -> str:
    userinfo, at, host_and_port = authority.rpartition("@")
    host, port = host_and_port, ""
    match = re.fullmatch(r"(.*?|\[.*\]):([0-9]*)", host_and_port)
    if match and (host_and_port.startswith("[") == match[1].endswith("]")):
        host, port = match[1], match[2].lstrip("0") or ("0" if match[2] else "")
        if port and int(port) > 0xFFFF:
            raise ValueError("no such port")
    if not host and (scheme in _DEFAULT_PORTS or at or host_and_port):
        raise ValueError("no host")
    name, _, password = userinfo.partition(":")
    credentials = _encode(name, _KEEP_IN_USERINFO)
    if password:
        credentials += ":" + _encode(password, _KEEP_IN_USERINFO)
    text = _host(host, special=scheme in _DEFAULT_PORTS) if host else ""
    if credentials:
        text = f"{credentials}@{text}"
    return f"{text}:{port}" if port and port != _DEFAULT_PORTS.get(scheme) else text


def _host(host: str, *, special: bool) -> str:
    if len(host) > MAX_HOST:
        raise ValueError("no host is that long")
    if host.startswith("["):
        if not host.endswith("]"):
            raise ValueError("no end of the IPv6 address")
        return f"[{_ipv6(host[1:-1])}]"
    if not special:
        if any(character in _FORBIDDEN_IN_HOST for character in host):
            raise ValueError("a character that no host has")
        return _encode(host, _KEEP_AFTER_C0)
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes((int(m[1], 16),)), host.encode("utf-8", "replace"))
    name = domain_to_ascii(raw.decode("utf-8"))
    if not name or any(character in _FORBIDDEN_IN_DOMAIN for character in name):
        raise ValueError("a character that no domain has")
    last = name.removesuffix(".").rpartition(".")[2]
    if last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last):
        return _ipv4(name.removesuffix("."))
    return name


def _ipv4(text: str) -> str:
    parts = text.split(".")
    if len(parts) > 4:
        raise ValueError("too many parts of an IPv4 address")
    numbers = [_ipv4_number(part) for part in parts]
    if any(number > 255 for number in numbers[:-1]) or numbers[-1] >= 256 ** (5 - len(numbers)):
        raise ValueError("a part of an IPv4 address is too large")
    value = numbers[-1] + sum(number << 8 * (3 - i) for i, number in enumerate(numbers[:-1]))
    return str(ipaddress.IPv4Address(value))


def _ipv4_number(part: str) -> int:
    if re.fullmatch(r"0[xX][0-9A-Fa-f]*", part):
        return int(part[2:] or "0", 16)
    if re.fullmatch(r"0[0-7]+", part):
        return int(part, 8)
    if re.fullmatch(r"0|[1-9][0-9]*", part, re.ASCII):
        return int(part)
    raise ValueError("not a number in an IPv4 address")


def _ipv6(text: str) -> str:
    address = ipaddress.IPv6Address(text)
    if address.scope_id is not None:
        raise ValueError("an IPv6 address with a zone")
    mapped = address.packed if address.ipv4_mapped else None
    # Newer Pythons write the end of a mapped address in decimals.
    return f"::ffff:{int.from_bytes(mapped[12:14]):x}:{int.from_bytes(mapped[14:]):x}" if mapped else address.compressed


def _path(path: str, scheme: str) -> str:
    out: list[str] = []
    segments = path.split("/")
    for position, segment in enumerate(segments):
        at_end = position == len(segments) - 1
        lowered = segment.lower()
        if lowered in _DOUBLE_DOT:
            if out and not (scheme == "file" and len(out) == 1 and re.fullmatch(r"[A-Za-z]:", out[0])):
                out.pop()
            if at_end:
                out.append("")
        elif lowered in _SINGLE_DOT:
            if at_end:
                out.append("")
        else:
            if scheme == "file" and not out and re.fullmatch(r"[A-Za-z]\|", segment):
                segment = f"{segment[0]}:"
            out.append(_encode(segment, _KEEP_IN_PATH))
    return "/" + "/".join(out)


def _encode(text: str, keep: frozenset[str]) -> str:
    if all(character in keep for character in text):
        return text
    return "".join(
        character if character in keep else "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))
        for character in text
    )
