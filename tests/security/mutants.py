"""Signed messages of every kind, and every change to one that is none of a signer's."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import strategies as st

from web5.crypto.ecdsa import CURVES
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.errors import CryptoError

Message = dict[str, Any]
Path = tuple[Any, ...]

ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

OPTIONAL = (
    *("attestation", "encryption", "encodedData", "contextId", "authorization", "data", "x", "", "__proto__"),
    *("ownerSignature", "authorDelegatedGrant", "ownerDelegatedGrant", "header", "protected", "signature", "published"),
    *("attestationCid", "encryptionCid", "delegatedGrantId", "permissionGrantId", "protocolRole", "kid", "alg", "crit"),
)
"""Members that a message, its signatures, or what is signed can have, and some that nothing has."""

PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2**54),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(["did:example:nobody#0", "AAAA", "2024-05-01T00:00:00.000000Z", "bafyreinone"]),
)
VALUES = st.one_of(PLAIN, st.lists(PLAIN, max_size=2), st.dictionaries(st.sampled_from(OPTIONAL), PLAIN, max_size=2))


@dataclass(frozen=True)
class Mutant:
    """A changed message.

    Parameters:
        respelled: only the bytes of signatures differ.
    """

    message: Any
    how: str
    respelled: bool = False


def paths(value: Any, here: Path = ()) -> Iterator[Path]:
    """Every place in a JSON value."""
    yield here
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(item, (*here, key))


def at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def put(value: Any, path: Path, new: Any) -> Any:
    if not path:
        return new
    changed = copy.deepcopy(value)
    at(changed, path[:-1])[path[-1]] = new
    return changed


@st.composite
def mutants(draw: st.DrawFn, message: Message, others: list[Message]) -> Mutant:
    """The message, changed once or twice.

    Parameters:
        others: valid messages, parts of which may be taken.
    """
    changed: Any = message
    respelled, ways = True, []
    for _ in range(draw(st.sampled_from((1, 1, 1, 2)))):
        way = draw(st.sampled_from(WAYS))
        before, changed = changed, way(draw, changed, others)
        ways.append(way.__name__)
        respelled = respelled and (way is signature or changed == before)
    return Mutant(changed, " and ".join(ways), respelled)


def changed_value(draw: st.DrawFn, message: Any, _others: list[Message]) -> Any:
    return put(message, draw(st.sampled_from(list(paths(message)))), draw(VALUES))


def dropped(draw: st.DrawFn, message: Any, _others: list[Message]) -> Any:
    path = draw(st.sampled_from(list(paths(message))))
    changed = copy.deepcopy(message)
    if path:
        del at(changed, path[:-1])[path[-1]]
    return changed


def added(draw: st.DrawFn, message: Any, _others: list[Message]) -> Any:
    changed = copy.deepcopy(message)
    holders = [path for path in paths(message) if isinstance(at(message, path), dict)]
    if holders:
        at(changed, draw(st.sampled_from(holders))).setdefault(draw(st.sampled_from(OPTIONAL)), draw(VALUES))
    return changed


def transplanted(draw: st.DrawFn, message: Any, others: list[Message]) -> Any:
    """A valid part of another message is put in the same place, or where it is missing here."""
    donor = draw(st.sampled_from(others))
    path = draw(st.sampled_from([path for path in paths(donor) if 0 < len(path) < 6]))
    changed = copy.deepcopy(message)
    with contextlib.suppress(KeyError, IndexError, TypeError):  # there is no such place
        at(changed, path[:-1])[path[-1]] = copy.deepcopy(at(donor, path))
    return changed


def repeated(draw: st.DrawFn, message: Any, _others: list[Message]) -> Any:
    """An item is there twice, or items change places."""
    lists = [path for path in paths(message) if isinstance(at(message, path), list) and at(message, path)]
    if not lists:
        return message
    path = draw(st.sampled_from(lists))
    items = at(message, path)
    return put(message, path, draw(st.sampled_from([[*items, items[0]], items[::-1], items[1:], []])))


def text(draw: st.DrawFn, message: Any, _others: list[Message]) -> Any:
    """Another spelling of a text, of base64url above all."""
    texts = [path for path in paths(message) if isinstance(at(message, path), str)]
    return _respelled(draw, message, texts, TEXTS)


def number(draw: st.DrawFn, message: Any, _others: list[Message]) -> Any:
    numbers = [path for path in paths(message) if type(at(message, path)) is int]
    return _respelled(draw, message, numbers, [float, lambda value: value + 0.5, str, lambda value: -value])


def inner_json(draw: st.DrawFn, message: Any, others: list[Message]) -> Any:
    """JSON within base64url (payloads, protected headers, grants): spelled in another way, or changed."""
    encoded = [path for path in paths(message) if isinstance(_inner(at(message, path)), dict)]
    if not encoded:
        return message
    path = draw(st.sampled_from(encoded))
    value = _inner(at(message, path))
    way = draw(st.sampled_from([*SPELLINGS, None, None]))
    if way is None:
        value = draw(st.sampled_from((added, dropped, changed_value)))(draw, value, others)
        way = SPELLINGS[0]
    try:
        return put(message, path, b64url_encode(way(value)))
    except UnicodeEncodeError:
        return message


def signature(draw: st.DrawFn, message: Any, _others: list[Message]) -> Any:
    """Another spelling of the same signature: the other S, DER, more or fewer bytes."""
    signatures = [path for path in paths(message) if path[-1:] == ("signature",) and isinstance(at(message, path), str)]
    return _respelled(draw, message, signatures, SIGNATURES)


WAYS = (
    *(changed_value, dropped, added, added, transplanted, transplanted),
    *(repeated, text, text, number, inner_json, inner_json, signature, signature),
)


def _respelled(draw: st.DrawFn, message: Any, places: list[Path], ways: list[Callable[[Any], Any]]) -> Any:
    if not places:
        return message
    path, way = draw(st.sampled_from(places)), draw(st.sampled_from(ways))
    try:
        return put(message, path, way(at(message, path)))
    except (CryptoError, ValueError, OverflowError, IndexError):
        return message


def _inner(value: Any) -> Any:
    try:
        return json.loads(b64url_decode(value))
    except (CryptoError, ValueError, TypeError):
        return None


def _spare_bits(value: str) -> str:
    """The last character with other bits, of those that carry nothing if there are any."""
    return value[:-1] + ALPHABET[ALPHABET.index(value[-1]) ^ 1]


def _padded(value: str) -> str:
    return value + "=" * (-len(value) % 4 or 1)


def _swapped_bytes(value: str) -> str:
    raw = bytearray(b64url_decode(value))
    raw[len(raw) // 2] ^= 1
    return b64url_encode(bytes(raw))


TEXTS: list[Callable[[str], str]] = [
    _padded,
    _spare_bits,
    _swapped_bytes,
    lambda value: value.replace("-", "+").replace("_", "/") + "+",
    lambda value: value + "\n",
    lambda value: " " + value,
    lambda value: value + "A",
    lambda value: value[:-1],
    lambda value: value.swapcase(),
    lambda value: value + "/",
    lambda value: value + "#",
    lambda value: value.replace("#", "?a=b#"),
    lambda value: value.replace("0Z", "0+00:00"),
    lambda value: value + "\u0301",
]
SPELLINGS: list[Callable[[Any], bytes]] = [
    lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(),
    lambda value: json.dumps(value).encode(),
    lambda value: json.dumps(dict(reversed(value.items())), separators=(",", ":")).encode(),
    lambda value: json.dumps(value, separators=(",", ":")).replace('"', '"\\u00', 0).encode() + b" ",
    lambda value: b"\xef\xbb\xbf" + json.dumps(value, separators=(",", ":")).encode(),
    lambda value: json.dumps(value, separators=(",", ":")).replace("{", '{"kid":"did:example:eve#0",', 1).encode(),
]


def _other_s(order: int) -> Callable[[str], str]:
    def respell(value: str) -> str:
        raw = b64url_decode(value)
        return b64url_encode(raw[:32] + (order - int.from_bytes(raw[32:], "big")).to_bytes(32, "big"))

    return respell


def _more_s(value: str) -> str:
    """Ed25519 without the check that S is less than the order (RFC 8032, section 5.1.7) takes this for the same."""
    raw = b64url_decode(value)
    return b64url_encode(raw[:32] + (int.from_bytes(raw[32:], "little") + ED25519_ORDER).to_bytes(32, "little"))


def _der(value: str) -> str:
    raw = b64url_decode(value)
    return b64url_encode(encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")))


def _long_der(value: str) -> str:
    """The length in two bytes, which is BER and no DER."""
    der = b64url_decode(_der(value))
    return b64url_encode(der[:1] + b"\x81" + der[1:])


SIGNATURES: list[Callable[[str], str]] = [
    _other_s(CURVES["secp256k1"].n),
    _other_s(CURVES["P-256"].n),
    lambda value: _der(_other_s(CURVES["P-256"].n)(value)),
    _more_s,
    _der,
    _long_der,
    _padded,
    _spare_bits,
    _swapped_bytes,
    lambda value: b64url_encode(b64url_decode(value) + b"\0"),
    lambda value: b64url_encode(b"\0" + b64url_decode(value)),
    lambda value: b64url_encode(b64url_decode(value)[:-1]),
    lambda value: b64url_encode(bytes(64)),
    lambda value: base64.b64encode(b64url_decode(value)).decode(),
]
