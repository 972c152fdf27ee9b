"""Shares of clients, and what counts as one."""

import pytest

from web5.node.limits import LEAST_REPLY, Limits, Shares, Usage, address_of


def test_shares_are_of_each_and_of_all():
    shares = Shares(10, 15)
    give_back = shares.take("a", 8)
    assert (shares.left("a"), shares.left("b")) == (2, 7)
    shares.take("b", 9)
    assert (shares.left("a"), shares.left("b"), shares.left("c")) == (-2, -2, -2)
    give_back()
    give_back()
    assert (shares.left("a"), shares.left("b"), shares.left("c")) == (6, 1, 6)


def test_room_for_a_reply_never_ends():
    usage = Usage(Limits(reply=2 * LEAST_REPLY, unread=3 * LEAST_REPLY))
    assert usage.room("a") == 2 * LEAST_REPLY
    usage.replies.take("a", 2 * LEAST_REPLY)
    assert (usage.room("a"), usage.room("b")) == (LEAST_REPLY, 2 * LEAST_REPLY)
    usage.replies.take("a", 20 * LEAST_REPLY)
    assert usage.room("a") == LEAST_REPLY


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("no address" * 100, ("no address" * 100)[:64]),
    ],
)
def test_addresses(host, address):
    assert address_of((host, 1)) == address


def test_no_address():
    assert address_of(None) == ""
