"""CIDs of messages and data. The vectors are the reference's own answers."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from web5.dwn.values import cid as cids
from web5.dwn.values.cid import DataCid, dag_cbor, dag_cbor_cid, data_cid, is_message_cid, message_cid
from web5.errors import InvalidArgument

VECTORS: list[tuple[dict[str, Any], str]] = [
    ({"a": 1.5}, "bafyreic6v65kiate4qj6lsdjvf2qjul5frowyn4kgtjp7fpbm7jjfz4mfm"),
    ({"a": 0.1}, "bafyreiexedbgdivc2pa7ln4odx544i5utanpjpl4tc35v7fhjbuu3m24ku"),
    ({"a": 9007199254740992}, "bafyreiegqfy4rmyppna5m4trk4svyux5cwleapiax5baspwlbwmrx2fkpq"),
    ({"a": 1e21}, "bafyreiapbdq4sg6insrw4aqjlyvwcgaxywchcuezplo2xbv2qlvrw4b5du"),
    ({"bb": 1, "a": 2, "é": "ü"}, "bafyreiemu4y2ohb6tccmct3yojuzytkyefzlozcmetq5i7f6x5qga5wfme"),
]
DATA_VECTORS = [
    (0, "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
    (1, "bafkreidogqfzz75tpkmjzjke425xqcrmpcib2p5tg44hnbirumdbpl5adu"),
    (262_144, "bafkreibdci4uxwmvixm54ey4etx3paphmwwbv3beh4xnsndvs6tzhjav5e"),
    (262_145, "bafybeibp4affrl5svfd2wwp3l2srpu76awzmvyc37zmrtap5iqydfxffuy"),
    (1_000_000, "bafybeia3gjdptbaeh5veyius2mvpegzwuhfi7rxd2capbhfiqavxvg22ia"),
    (52_428_800, "bafybeig4tkaci2tp26gmwohvc4kjyncvtein2behhgasislqmkswpcxoaa"),
]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
).filter(lambda value: "inf" not in repr(value))


def _pattern(size: int) -> bytes:
    return (bytes(range(256)) * (size // 256 + 1))[:size]


@pytest.mark.parametrize(("value", "cid"), VECTORS)
def test_the_vectors(value: dict[str, Any], cid: str) -> None:
    assert dag_cbor_cid(value) == cid


@pytest.mark.parametrize(("size", "cid"), DATA_VECTORS)
def test_the_data_vectors(size: int, cid: str) -> None:
    assert data_cid(_pattern(size)) == cid


@given(st.dictionaries(st.text(), JSON, max_size=6), st.randoms())
def test_the_order_of_properties_does_not_matter(value: dict[str, Any], random: Any) -> None:
    shuffled = list(value.items())
    random.shuffle(shuffled)
    assert dag_cbor(dict(shuffled)) == dag_cbor(value)


def test_the_orders_that_are_remembered_have_room_for_no_more_than_they_should() -> None:
    for number in range(3 * cids._MOST_ORDERS):
        value = {f"name {number}": 1, "b": 2, "aa": 3}
        assert dag_cbor(value) == dag_cbor(value) == cbor2.dumps(value, canonical=True)  # kept by now, perhaps
        assert len(cids._ORDERS) <= cids._MOST_ORDERS
    long = {"n" * cids._MOST_CHARACTERS: 1, "b": 2}
    assert dag_cbor(long) == cbor2.dumps(long, canonical=True)
    assert tuple(long) not in cids._ORDERS
    assert all(len("".join(names)) <= cids._MOST_CHARACTERS for names in cids._ORDERS)


def test_names_that_are_no_texts_are_refused_each_time() -> None:
    for _ in range(2):
        with pytest.raises(InvalidArgument):
            dag_cbor({1: "a"})


@given(st.dictionaries(st.text(), st.integers(-1000, 1000) | st.text(), max_size=6))
def test_a_float_elsewhere_does_not_change_how_the_rest_is_encoded(value: dict[str, Any]) -> None:
    plain, with_float = dag_cbor([value]), dag_cbor([value, 0.5])
    assert with_float == b"\x82" + plain[1:] + b"\xfb\x3f\xe0" + bytes(6)


@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.integers(-(2**53) + 1, 2**53 - 1),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=8),
    )
)
def test_without_fractions_it_is_the_canonical_form(value: Any) -> None:
    """Of RFC 7049, section 3.9."""
    assert dag_cbor(value) == cbor2.dumps(value, canonical=True)


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_a_whole_float_is_the_integer(number: int) -> None:
    assert dag_cbor({"a": float(number)}) == dag_cbor({"a": number})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, object(), "\ud800"])
def test_what_is_no_json_has_no_cid(value: Any) -> None:
    with pytest.raises(InvalidArgument):
        dag_cbor_cid({"a": value})


def test_encoded_data_is_not_part_of_a_message() -> None:
    message = {"descriptor": {"a": 1}}
    assert message_cid({**message, "encodedData": "AAAA"}) == message_cid(message) == dag_cbor_cid(message)


@given(st.lists(st.integers(0, 300_000), max_size=6))
def test_data_may_come_in_any_pieces(sizes: list[int]) -> None:
    data = _pattern(sum(sizes))
    cid, start = DataCid(), 0
    for size in sizes:
        cid.update(data[start : start + size])
        start += size
    assert cid.finish() == (data_cid(data), len(data))


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (VECTORS[0][1], True),
        (DATA_VECTORS[0][1], False),
        (VECTORS[0][1].upper(), False),
        (VECTORS[0][1][:-1], False),
        (VECTORS[0][1][:-1] + "1", False),
        ("", False),
    ],
)
def test_what_is_the_cid_of_a_message(text: str, is_one: bool) -> None:
    assert is_message_cid(text) is is_one
