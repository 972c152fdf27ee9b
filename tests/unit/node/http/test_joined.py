"""What is written in one turn of the loop goes out together, in its order, and nothing of it stays behind."""

from __future__ import annotations

import asyncio

from web5.node.http.joined import TOGETHER, JoinedTransport


class _Way(asyncio.Transport):
    """The way out of a connection, as far as what is written on it goes."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[bytes | str] = []

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.done.append(bytes(data))

    def write_eof(self) -> None:
        self.done.append("eof")

    def close(self) -> None:
        self.done.append("close")

    def abort(self) -> None:
        self.done.append("abort")

    def get_write_buffer_size(self) -> int:
        return 7


async def test_what_follows_goes_along() -> None:
    joined = JoinedTransport(way := _Way())
    joined.write(b"head")
    joined.write(b"body")
    joined.write(b"")
    assert (way.done, joined.get_write_buffer_size()) == ([], 15)
    joined.go()
    assert (way.done, joined.get_write_buffer_size()) == ([b"headbody"], 7)
    await asyncio.sleep(0)
    assert way.done == [b"headbody"]


async def test_nothing_waits_longer_than_for_the_loop_or_for_much() -> None:
    joined = JoinedTransport(way := _Way())
    joined.write(b"alone")
    await asyncio.sleep(0)
    assert way.done == [b"alone"]
    joined.write(bytes(TOGETHER))
    assert [len(one) for one in way.done] == [5, TOGETHER]


async def test_the_end_comes_last() -> None:
    for end in ("write_eof", "close"):
        joined = JoinedTransport(way := _Way())
        joined.write(b"last")
        getattr(joined, end)()
        assert way.done == [b"last", end.removeprefix("write_")]
    joined = JoinedTransport(way := _Way())
    joined.write(b"not any more")
    joined.abort()
    await asyncio.sleep(0)
    assert way.done == ["abort"]


async def test_a_socket_s_frames_go_at_once() -> None:
    joined = JoinedTransport(way := _Way())
    joined.write(b"head")
    joined.go_through()
    joined.write(b"frame")
    assert way.done == [b"head", b"frame"]
