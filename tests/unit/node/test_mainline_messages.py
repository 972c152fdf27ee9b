"""The messages of the DHT: a put as BEP 44 has it, and what strangers send instead of answers."""

import pytest

from web5.dids.dht.bep44 import SignedItem
from web5.node.mainline.items import Node
from web5.node.mainline.messages import as_answer, as_get, as_node, put_query


def test_a_put_is_as_bep_44_has_it() -> None:
    item = SignedItem(b"k" * 32, b"s" * 64, 4, b"Hello World!")
    node = Node(b"n" * 20, ("127.0.0.1", 1), b"tok")
    assert put_query(item, node, b"i" * 20, b"aa") == (
        b"d1:ad2:id20:" + b"i" * 20 + b"1:k32:" + b"k" * 32 + b"3:seqi4e3:sig64:" + b"s" * 64 + b"5:token3:tok1:v12:"
        b"Hello World!e1:q3:put2:roi1e1:t2:aa1:v4:W5\x00\x011:y1:qe"
    )


@pytest.mark.parametrize(
    "message",
    [
        *(None, 1, b"", [], {}, {b"t": 1, b"y": b"r", b"r": {}}, {b"t": b"a", b"y": b"r"}),
        *({b"t": b"a", b"y": b"r", b"r": []}, {b"t": b"a", b"y": b"q", b"q": b"get", b"a": {}}),
    ],
)
def test_what_is_no_answer(message) -> None:
    assert as_answer(message) is None
    assert as_get(message) is None


def test_an_error_is_an_answer_without_a_body() -> None:
    answer = as_answer({b"t": b"aa", b"y": b"e", b"e": [302, b"old"]})
    assert answer is not None and answer.body is None


@pytest.mark.parametrize("body", [{}, {b"id": b"short", b"token": b"t"}, {b"id": b"i" * 20, b"token": b""}])
@pytest.mark.parametrize("token", [None, b"t" * 65, 5])
def test_a_node_without_a_token_takes_nothing(body, token) -> None:
    assert as_node(("127.0.0.1", 1), body if token is None else {b"id": b"i" * 20, b"token": token}) is None
