import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web5.dwn.events import Event
from web5.dwn.values.cid import message_cid
from web5.dwn.wire import rpc, rpc_socket
from web5.dwn.wire.rpc import ErrorCode, RpcFault
from web5.errors import BadReply

MESSAGE = {"descriptor": {"interface": "Messages", "method": "Subscribe", "schema": "Grüße"}}
ids = st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 2**53))


@given(ids, ids)
def test_subscribe_comes_back(id, subscription):
    encoded = rpc_socket.encode_subscribe("did:x:y", MESSAGE, subscription, id)
    assert encoded.isascii()
    assert rpc_socket.parse_request(encoded) == rpc.Request("did:x:y", MESSAGE, id, subscription)


@given(ids, ids)
def test_close_comes_back(id, subscription):
    encoded = rpc_socket.encode_close(subscription, id)
    assert rpc_socket.parse_request(encoded) == rpc_socket.Close(id, subscription)


def test_requests_are_as_the_reference_makes_them():
    """`createJsonRpcSubscriptionRequest` in src/lib/json-rpc.ts."""
    assert json.loads(rpc_socket.encode_subscribe("did:x:y", MESSAGE, "2", "1")) == {
        "jsonrpc": "2.0",
        "id": "1",
        "method": "rpc.subscribe.dwn.processMessage",
        "params": {"target": "did:x:y", "message": MESSAGE},
        "subscription": {"id": "2"},
    }
    assert json.loads(rpc_socket.encode_close("2", "1")) == {
        "jsonrpc": "2.0",
        "id": "1",
        "method": "rpc.subscribe.close",
        "params": {},
        "subscription": {"id": "2"},
    }


def test_plain_request_is_what_it_is_over_http():
    encoded = rpc.encode_request("did:x:y", MESSAGE, 7)
    assert rpc_socket.parse_request(encoded) == rpc.parse_request(encoded)


def request(**changes):
    params = {"target": "t", "message": {}}
    good = {"jsonrpc": "2.0", "id": "1", "method": rpc_socket.SUBSCRIBE, "params": params, "subscription": {"id": "2"}}
    return json.dumps({**good, **changes})


@pytest.mark.parametrize("subscription", [{}, {"id": None}])
def test_a_subscription_without_an_id_has_that_of_its_message(subscription):
    text = request(subscription=subscription, params={"target": "t", "message": MESSAGE})
    assert rpc_socket.parse_request(text) == rpc.Request("t", MESSAGE, "1", message_cid(MESSAGE))


def test_subscription_beside_a_plain_request_is_not_looked_at():
    assert rpc_socket.parse_request(request(method=rpc.PROCESS_MESSAGE)).subscription is None


@pytest.mark.parametrize(
    ("text", "code", "id"),
    [
        ("", ErrorCode.BAD_REQUEST, None),
        ("{", ErrorCode.BAD_REQUEST, None),
        ("[]", ErrorCode.INVALID_REQUEST, None),
        (request(jsonrpc="1.0"), ErrorCode.INVALID_REQUEST, "1"),
        (request(method="rpc.subscribe.other"), ErrorCode.METHOD_NOT_FOUND, "1"),
        (request(method=7), ErrorCode.METHOD_NOT_FOUND, "1"),
        (request(params=None), ErrorCode.INVALID_PARAMS, "1"),
        (request(params={"target": "t", "message": 1}), ErrorCode.INVALID_PARAMS, "1"),
        (request(subscription=None), ErrorCode.INVALID_REQUEST, "1"),
        (request(subscription="2"), ErrorCode.INVALID_PARAMS, "1"),
        (request(subscription={"id": True}), ErrorCode.INVALID_PARAMS, "1"),
        (request(method=rpc_socket.CLOSE, subscription={}), ErrorCode.INVALID_PARAMS, "1"),
        (request(method=rpc_socket.CLOSE, subscription=None), ErrorCode.INVALID_REQUEST, "1"),
        (request(method=rpc_socket.CLOSE, subscription={"id": [2]}), ErrorCode.INVALID_PARAMS, "1"),
    ],
)
def test_bad_request_is_a_fault_with_the_id_that_could_be_read(text, code, id):
    with pytest.raises(RpcFault) as caught:
        rpc_socket.parse_request(text)
    assert (caught.value.code, caught.value.id) == (code, id)


def test_reply_and_event_come_back_with_their_ids():
    reply = {"status": {"code": 200, "detail": "OK"}, "subscription": {"id": "cid"}}
    response = rpc_socket.parse_response(rpc.encode_reply("1", reply))
    assert (response.id, response.reply()) == ("1", reply)
    for event in (Event(message=MESSAGE), Event(message=MESSAGE, initialWrite=MESSAGE)):
        response = rpc_socket.parse_response(rpc_socket.encode_event("2", event))
        assert (response.id, response.event()) == ("2", event)


def test_closed_is_answered_in_the_words_of_the_reference():
    content = json.loads(rpc_socket.encode_closed("1"))
    assert content == {"jsonrpc": "2.0", "id": "1", "result": {"reply": {"status": 200, "detail": "Accepted"}}}


def test_fault_is_a_reply_with_its_status():
    response = rpc_socket.parse_response(rpc.encode_fault(RpcFault(ErrorCode.INVALID_PARAMS, "why", "1")))
    assert (response.id, response.reply()["status"]) == ("1", {"code": 400, "detail": "why"})


@pytest.mark.parametrize("text", ["", "hello", "null", "[]", "{}", '{"id":"1","method":"ping"}', '{"id":"1","a":NaN}'])
def test_what_is_no_response_is_shown(text):
    with pytest.raises(BadReply) as caught:
        rpc_socket.parse_response(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    "result", [None, {}, {"event": None}, {"event": {}}, {"event": {"message": {}, "initialWrite": 1}}, {"reply": {}}]
)
def test_what_is_neither_reply_nor_event_is_shown(result):
    response = rpc_socket.parse_response(json.dumps({"jsonrpc": "2.0", "id": "1", "result": result}))
    for read in (response.reply, response.event):
        with pytest.raises(BadReply, match="result"):
            read()
