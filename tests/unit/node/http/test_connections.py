"""The table of connections, with a clock of the test's."""

import pytest

from web5.node.http.connections import ConnectionLimits, Connections

LIMITS = ConnectionLimits(connections=6, per_address=3, slowest=100)


class Transport:
    def __init__(self, host: str) -> None:
        self._host, self.aborted = host, False

    def get_extra_info(self, name: str):
        return (self._host, 1)

    def abort(self) -> None:
        self.aborted = True


class Client:
    """A connection as the table sees it."""

    def __init__(self, table: Connections, host: str, *, idle=True) -> None:
        self.transport, self.idle, self.waiting = Transport(host), idle, None
        self.admitted = table.admit(self)

    def is_idle(self) -> bool:
        return self.idle

    def waits_for(self):
        return self.waiting

    @property
    def is_open(self) -> bool:
        return self.admitted and not self.transport.aborted


@pytest.fixture
async def table():
    return Connections(LIMITS)


@pytest.mark.parametrize("host", ["10.0.0.1", "2001:db8::1"])
async def test_a_newcomer_takes_the_place_of_the_oldest_idle_connection_of_its_address(table, host):
    busy, first, second = Client(table, host, idle=False), Client(table, host), Client(table, host)
    newcomer = Client(table, host)
    assert [one.is_open for one in (busy, first, second, newcomer)] == [True, False, True, True]


async def test_an_address_that_is_busy_throughout_gets_no_more(table):
    held = [Client(table, "10.0.0.1", idle=False) for _ in range(3)]
    assert not Client(table, "10.0.0.1").admitted
    assert Client(table, "10.0.0.2").is_open
    assert all(one.is_open for one in held)
    table.drop(held[0].transport)
    assert Client(table, "10.0.0.1").is_open


async def test_a_full_table_takes_from_the_address_with_the_most(table):
    greedy = [Client(table, "10.0.0.1", idle=False) for _ in range(3)]
    others = [Client(table, f"10.0.0.{number}", idle=False) for number in (2, 2, 3)]
    newcomer = Client(table, "10.0.0.4")
    assert newcomer.is_open
    assert [one.is_open for one in greedy] == [False, True, True]
    assert all(one.is_open for one in others)


async def test_a_full_table_of_equals_gives_up_nobody_who_is_busy(table):
    held = [Client(table, f"10.0.0.{number}", idle=False) for number in range(6)]
    assert not Client(table, "10.0.1.1").admitted
    assert all(one.is_open for one in held)


async def test_one_host_cannot_count_as_many_by_its_ipv6_network(table):
    held = [Client(table, f"2001:db8::{number}", idle=False) for number in range(1, 4)]
    assert all(one.is_open for one in held)
    assert not Client(table, "2001:db8::ffff").admitted
    assert Client(table, "2001:db8:0:1::1").is_open
    assert Client(table, "::ffff:10.0.0.1").is_open


async def test_what_only_comes_to_nothing_is_cut_at_its_deadline(table):
    client = Client(table, "10.0.0.1")
    client.waiting = ("head", 0)
    table.look(0)
    table.look(9.9)
    assert client.is_open
    table.look(10)
    assert not client.is_open


async def test_what_moves_fast_enough_is_never_cut_and_what_trickles_is(table):
    honest, trickle = Client(table, "10.0.0.1"), Client(table, "10.0.0.2")
    for second in range(1000):
        honest.waiting, trickle.waiting = ("body", 110 * second), ("body", 10 * second)
        table.look(second)
        assert honest.is_open
        assert trickle.is_open == (second < 15)
        if not trickle.is_open:
            trickle.transport.aborted = True


async def test_each_wait_has_its_own_deadline_and_the_nodes_own_time_counts_for_nobody(table):
    client = Client(table, "10.0.0.1")
    for second in range(100):
        client.waiting = [("head", 0), ("body", 0), None, ("taking", 0)][second // 8 % 4]
        table.look(second)
    assert client.is_open


async def test_what_another_protocol_speaks_for_is_the_same_connection(table):
    first = Client(table, "10.0.0.1")
    second = Client(table, "10.0.0.9")
    table.drop(second.transport)
    second.transport, second.idle = first.transport, False
    table.hand_over(second)
    second.waiting = ("body", 0)
    for now in (0, 15):
        table.look(now)
    assert first.transport.aborted


def test_there_are_never_more_connections_than_descriptors(monkeypatch):
    monkeypatch.setattr("resource.getrlimit", lambda _: (300, 4096))
    assert ConnectionLimits().allowed == 100
    monkeypatch.setattr("resource.getrlimit", lambda _: (-1, -1))
    assert ConnectionLimits().allowed == 1000
