import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web5.dwn.wire import rpc
from web5.dwn.wire.rpc import ErrorCode, RpcFault
from web5.errors import BadReply

text = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=10,
)


@given(text, st.dictionaries(text, values), st.one_of(text, st.integers(0, 2**53)))
def test_request_survives_a_header(target, message, id):
    encoded = rpc.encode_request(target, message, id)
    assert encoded.isascii()
    assert encoded.isprintable()
    assert rpc.parse_request(encoded.encode("latin-1").decode("latin-1")) == rpc.Request(target, message, id)


def test_request_without_an_id_gets_a_fresh_one():
    ids = {rpc.parse_request(rpc.encode_request("did:x:y", {})).id for _ in range(3)}
    assert len(ids) == 3


def test_reply_and_its_id_come_back():
    reply = {"status": {"code": 200, "detail": "OK: “é”"}, "entries": []}
    encoded = rpc.encode_reply(0, reply)
    assert encoded.isascii()
    assert json.loads(encoded)["id"] == 0
    assert rpc.parse_response(encoded) == reply
    assert rpc.parse_response(encoded.encode()) == reply


def request(**changes):
    good = {"jsonrpc": "2.0", "id": "1", "method": "dwn.processMessage", "params": {"target": "t", "message": {}}}
    return json.dumps({**good, **changes})


@pytest.mark.parametrize(
    ("text", "code", "id"),
    [
        ("", ErrorCode.BAD_REQUEST, None),
        ("{", ErrorCode.BAD_REQUEST, None),
        ('{"a": NaN}', ErrorCode.BAD_REQUEST, None),
        ("[" * 200_000, ErrorCode.BAD_REQUEST, None),
        (request(params={"target": "\ud800", "message": {}}), ErrorCode.BAD_REQUEST, None),
        ("[]", ErrorCode.INVALID_REQUEST, None),
        (request(jsonrpc="1.0"), ErrorCode.INVALID_REQUEST, "1"),
        (request(jsonrpc="1.0", id=[1]), ErrorCode.INVALID_REQUEST, None),
        (request(jsonrpc="1.0", id=True), ErrorCode.INVALID_REQUEST, None),
        (request(method="dwn.other"), ErrorCode.METHOD_NOT_FOUND, "1"),
        (request(method=None, id=7), ErrorCode.METHOD_NOT_FOUND, 7),
        (request(subscription={"id": "2"}), ErrorCode.INVALID_PARAMS, "1"),
        (request(params=None), ErrorCode.INVALID_PARAMS, "1"),
        (request(params={"target": 1, "message": {}}), ErrorCode.INVALID_PARAMS, "1"),
        (request(params={"target": "t", "message": "m"}), ErrorCode.INVALID_PARAMS, "1"),
    ],
)
def test_bad_request_is_a_fault_with_the_id_that_could_be_read(text, code, id):
    with pytest.raises(RpcFault) as caught:
        rpc.parse_request(text)
    assert (caught.value.code, caught.value.id) == (code, id)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (-32700, 400),
        (-32600, 400),
        (-32601, 501),
        (-32602, 400),
        (-32603, 500),
        (-50400, 400),
        (-50401, 401),
        (-50403, 403),
        (-50413, 413),
        (-50429, 429),
        (-50399, 500),
        (-50600, 500),
        (1, 500),
    ],
)
def test_error_is_a_reply_with_its_status(code, status):
    encoded = json.dumps({"jsonrpc": "2.0", "id": "1", "error": {"code": code, "message": "why"}})
    assert rpc.parse_response(encoded) == {"status": {"code": status, "detail": "why"}}


@pytest.mark.parametrize(
    ("code", "data", "detail"),
    [
        (-32603, {"code": "TenantStorageQuotaExceeded"}, "TenantStorageQuotaExceeded: why"),
        (-32602, {"code": "RecordDataSizeLimitExceeded", "more": 1}, "RecordDataSizeLimitExceeded: why"),
        (-32603, {"code": "why"}, "why"),
        (-32603, {"code": "two words"}, "why"),
        (-32603, {"code": 7}, "why"),
        (-32603, ["code"], "why"),
        (-32603, None, "why"),
    ],
)
def test_the_code_that_an_error_has_as_data_is_told(code, data, detail):
    encoded = json.dumps({"jsonrpc": "2.0", "id": "1", "error": {"code": code, "message": "why", "data": data}})
    assert rpc.parse_response(encoded)["status"]["detail"] == detail


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_fault_comes_back_as_its_own_status(code):
    fault = RpcFault(code, "why", "7")
    encoded = rpc.encode_fault(fault)
    assert json.loads(encoded)["id"] == "7"
    assert rpc.parse_response(encoded)["status"]["code"] == fault.status


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>Bad gateway</html>",
        b"\xff\xfe",
        b"null",
        b"{}",
        b'{"jsonrpc":"2.0","id":"1","result":null}',
        b'{"jsonrpc":"2.0","id":"1","result":{"reply":{}}}',
        b'{"jsonrpc":"2.0","id":"1","result":{"reply":{"status":{"code":"200"}}}}',
        b'{"jsonrpc":"2.0","id":"1","error":"broken"}',
    ],
)
def test_what_is_no_response_is_shown(answer):
    with pytest.raises(BadReply) as caught:
        rpc.parse_response(answer)
    assert repr(answer.decode("utf-8", "replace")) in str(caught.value)


def test_long_foreign_answer_is_cut():
    with pytest.raises(BadReply) as caught:
        rpc.parse_response(b"x" * 100_000)
    assert len(str(caught.value)) < 200
