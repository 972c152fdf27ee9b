"""Content identifiers: of messages (dag-cbor) and of record data (UnixFS).

Both are CIDv1 with sha2-256, written in lower-case base32. Sources: the IPLD dag-cbor and dag-pb specifications, and
the settings that dwn-sdk-js uses of `ipfs-unixfs-importer` (`src/utils/cid.ts`).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

import cbor2

from web5.errors import NotEncodable

MAX_SAFE_INTEGER = 2**53 - 1

DAG_CBOR = 0x71
DAG_PB = 0x70
RAW = 0x55
SHA2_256 = 0x12

LEAF_BYTES = 262_144
LINKS_PER_NODE = 174

_BASE32 = b"abcdefghijklmnopqrstuvwxyz234567".ljust(256)


def _spreading_steps() -> Iterator[tuple[int, int, int]]:
    """Give the shift, the bits that stay and the bits that move, of each step of `_cid_text`."""
    for digits in (32, 16, 8, 4, 2, 1):
        half = (1 << 5 * digits) - 1
        stay = sum(half << 16 * digits * group for group in range(32 // digits))
        yield 3 * digits, stay, stay << 5 * digits


_SPREADING_STEPS = tuple(_spreading_steps())


def _cid_text(codec: int, digest: bytes) -> str:
    # Base32 of 36 bytes, in a sixth of the time of `base64.b32encode`: 58 digits of 5 bits are spread to a byte each.
    # Every step halves the groups of digits, from 64 to 1, and moves the upper half to where its bytes begin.
    bits = int.from_bytes(bytes((1, codec, SHA2_256, 32)) + digest, "big") << 2
    for shift, stay, move in _SPREADING_STEPS:
        bits = bits & stay | (bits & move) << shift
    return "b" + bits.to_bytes(58, "big").translate(_BASE32).decode()


def dag_cbor(value: Any) -> bytes:
    """Encode a JSON value with JavaScript's numbers: whole ones up to 2^53 - 1 as integers, others as 64-bit floats.

    Raises:
        NotEncodable: the value is not JSON, or holds NaN or an infinity.
    """
    try:
        # Its own canonical form takes four times as long, and shortens floats.
        return cbor2.dumps(_prepared(value))
    except (cbor2.CBOREncodeError, UnicodeEncodeError, RecursionError, TypeError) as error:
        raise NotEncodable("", f"not a JSON value: {error}") from error


def _prepared(value: Any) -> Any:
    """Return a value that cbor2 encodes as dag-cbor: properties in order, shorter names first, and numbers as they are.

    Texts, which most of a message is, need no call of their own.
    """
    if isinstance(value, dict):
        given = tuple(value)
        names = _ORDERS.get(given) or _ordered(given)
        return {name: item if type(item := value[name]) is str else _prepared(item) for name in names}
    if isinstance(value, (list, tuple)):
        return [item if type(item) is str else _prepared(item) for item in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = javascript_number(value)
        if not isfinite(number):
            raise NotEncodable("", "NaN and infinities have no dag-cbor encoding")
        return number
    return value


_ORDERS: dict[tuple[str, ...], tuple[str, ...]] = {}
"""Names of properties, as they were given, and in order: those of messages come again and again."""

_MOST_ORDERS = 256
_MOST_CHARACTERS = 512


def _ordered(names: tuple[str, ...]) -> tuple[str, ...]:
    """Put names in order, and remember that, unless they are long."""
    whole = "".join(names)
    # Code points and their UTF-8 are in the same order.
    found = tuple(sorted(sorted(names), key=len if whole.isascii() else _utf8_length))
    if len(names) + len(whole) <= _MOST_CHARACTERS:
        if len(_ORDERS) == _MOST_ORDERS:  # of strangers, perhaps, who have names of their own
            _ORDERS.clear()
        _ORDERS[names] = found
    return found


def _utf8_length(text: str) -> int:
    return len(text.encode())


def javascript_number(value: int | float) -> int | float:
    """Return a number as JavaScript holds it: a whole double up to 2^53 - 1 as int, any other as float."""
    try:
        number = float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return int(number) if number.is_integer() and abs(number) <= MAX_SAFE_INTEGER else number


def dag_cbor_cid(value: Any) -> str:
    """Return the CID of any JSON value, such as a descriptor or an attestation. Raises as `dag_cbor` does."""
    return _cid_text(DAG_CBOR, hashlib.sha256(dag_cbor(value)).digest())


def bare_message(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message without what a reply adds to it: `encodedData` and, in a query's entry, `initialWrite`."""
    return {name: value for name, value in message.items() if name not in ("encodedData", "initialWrite")}


def message_cid(message: Mapping[str, Any]) -> str:
    """Return the CID of a DWN message; its data is not part of it (`Message.getCid`). Raises as `dag_cbor` does."""
    return dag_cbor_cid(bare_message(message) if "encodedData" in message else message)


def is_message_cid(text: str) -> bool:
    """Return True for a CID of dag-cbor hashed with sha2-256, in base32 (what `Cid.parseCid` lets pass)."""
    if len(text) != 59 or text[0] != "b" or not text.isascii() or text != text.lower():
        return False
    try:
        raw = base64.b32decode(text[1:].upper() + "======")
    except ValueError:
        return False
    return raw[:4] == bytes((1, DAG_CBOR, SHA2_256, 32))


class DataCid:
    """The CID of record data, made while the data passes: of a raw block, or of a balanced tree of dag-pb nodes."""

    def __init__(self) -> None:
        self._leaf = hashlib.sha256()
        self._room = LEAF_BYTES
        self._leaves: list[_Node] = []
        self.size = 0

    def update(self, data: bytes) -> None:
        view = memoryview(data)
        self.size += len(view)
        while len(view) > self._room:
            self._leaf.update(view[: self._room])
            view = view[self._room :]
            self._leaves.append(_Node(RAW, self._leaf.digest(), LEAF_BYTES, LEAF_BYTES))
            self._leaf = hashlib.sha256()
            self._room = LEAF_BYTES
        self._leaf.update(view)
        self._room -= len(view)

    def finish(self) -> tuple[str, int]:
        """Return the CID and the number of bytes. Call it once, after the last `update`."""
        last = LEAF_BYTES - self._room
        nodes = [*self._leaves, _Node(RAW, self._leaf.digest(), last, last)]
        while len(nodes) > 1:
            nodes = [_parent(nodes[i : i + LINKS_PER_NODE]) for i in range(0, len(nodes), LINKS_PER_NODE)]
        return _cid_text(nodes[0].codec, nodes[0].digest), self.size


def data_cid(data: bytes) -> str:
    cid = DataCid()
    cid.update(data)
    return cid.finish()[0]


class _Node(NamedTuple):
    """A block: its hash, the bytes of the file under it, and the bytes of all blocks under it with its own."""

    codec: int
    digest: bytes
    file_size: int
    blocks_size: int


def _parent(children: Sequence[_Node]) -> _Node:
    links = b"".join(_field(2, _link(child)) for child in children)
    file_size = sum(child.file_size for child in children)
    # UnixFS: Type = File (2), filesize, one blocksize a child.
    unixfs = b"\x08\x02\x18" + _varint(file_size)
    unixfs += b"".join(b"\x20" + _varint(child.file_size) for child in children)
    block = links + _field(1, unixfs)
    blocks_size = len(block) + sum(child.blocks_size for child in children)
    return _Node(DAG_PB, hashlib.sha256(block).digest(), file_size, blocks_size)


def _link(child: _Node) -> bytes:
    cid = bytes((1, child.codec, SHA2_256, 32)) + child.digest
    return _field(1, cid) + _field(2, b"") + b"\x18" + _varint(child.blocks_size)


def _field(number: int, content: bytes) -> bytes:
    return bytes((number << 3 | 2,)) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
