"""Downloads over a line that breaks (web/boot/line.mjs), in Node.js, from a server that breaks off in the middle."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pytest

from web5_build.environment import node_env
from web5_build.paths import WEB

CONTENT = random.Random(5).randbytes(300_000) + bytes(50_000)
FILE = gzip.compress(CONTENT, mtime=0)
OTHER = gzip.compress(CONTENT[::-1], mtime=0)
HALF = len(FILE) // 2
ETAG = '"first"'

FOLLOW = """
const { follow } = await import(process.argv[1]);
const [url, bytes] = [process.argv[2], Number(process.argv[3])];
const told = { arrived: 0, waiting: [], ended: 0 };
try {
  const response = await follow(url, {
    bytes,
    type: "application/zip",
    arrived: (count) => (told.arrived += count),
    waiting: (tries) => told.waiting.push(tries),
    ended: () => (told.ended += 1),
  });
  told.type = response.headers.get("content-type");
  const content = new Uint8Array(await response.arrayBuffer());
  told.size = content.length;
  told.sha256 = Buffer.from(await crypto.subtle.digest("SHA-256", content)).toString("hex");
} catch (error) {
  told.error = `${error.constructor.name}: ${error.message}`;
}
console.log(JSON.stringify(told));
"""


@dataclass(frozen=True)
class Answer:
    """An answer of the server.

    Parameters:
        body: the bytes that are sent before the connection is closed.
        length: what the header says of them; by default the truth.
    """

    body: bytes
    status: str = "200 OK"
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None


Answering = Callable[[dict[str, str]], Answer]
"""The answer to a request, by its headers."""

BREAKS = Answer(FILE[:HALF], length=len(FILE), headers={"etag": ETAG})


def part(asked: dict[str, str], file: bytes, etag: str | None = ETAG, size: str | None = None) -> Answer:
    """The answer of a server that knows Range and If-Range."""
    tags = {} if etag is None else {"etag": etag}
    if "range" not in asked or asked.get("if-range", etag) != etag:
        return Answer(file, headers=tags)
    start = int(asked["range"].removeprefix("bytes=").removesuffix("-"))
    content_range = f"bytes {start}-{len(file) - 1}/{size or len(file)}"
    return Answer(file[start:], "206 Partial Content", {**tags, "content-range": content_range})


@asynccontextmanager
async def serving(answers: list[Answer | Answering]) -> AsyncIterator[tuple[str, list[dict[str, str]]]]:
    """Serve these answers, one after the other; the URL, and the headers of what was asked."""
    asked: list[dict[str, str]] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        asked.append(headers)
        found = answers[len(asked) - 1]
        answer = found if isinstance(found, Answer) else found(headers)
        length = len(answer.body) if answer.length is None else answer.length
        sent = {"content-length": str(length), "connection": "close", **answer.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        writer.write(f"HTTP/1.1 {answer.status}\r\n{head}\r\n".encode() + answer.body)
        with suppress(ConnectionError):  # who was told that it is another file hangs up
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/file.gz", asked
    finally:
        server.close()


async def followed(*answers: Answer | Answering) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """What came of a download, and what was asked for it."""
    async with serving(list(answers)) as (url, asked):
        module = (WEB / "boot" / "line.mjs").as_uri()
        command = (node_env.node().program, "--input-type=module", "--eval", FOLLOW, module, url, str(len(FILE)))
        node = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        output, _ = await node.communicate()
    return json.loads(output), asked


def assert_whole(told: dict[str, Any], waits: list[int]) -> None:
    assert (told["sha256"], told["type"]) == (sha256(CONTENT).hexdigest(), "application/zip")
    assert (told["arrived"], told["ended"]) == (len(FILE), 1)  # each byte once, whatever was sent twice
    assert told["waiting"] == waits


async def test_nothing_breaks() -> None:
    told, asked = await followed(Answer(FILE))
    assert_whole(told, [])
    assert "range" not in asked[0]


async def test_it_goes_on_where_it_was() -> None:
    told, asked = await followed(BREAKS, lambda asked: part(asked, FILE))
    assert_whole(told, [1, 0])
    assert (asked[1]["range"], asked[1]["if-range"]) == (f"bytes={HALF}-", ETAG)


async def test_it_breaks_again_and_again() -> None:
    def a_little(asked: dict[str, str]) -> Answer:
        rest = part(asked, FILE)
        return Answer(rest.body[:1000], rest.status, rest.headers, length=len(rest.body))

    told, asked = await followed(BREAKS, a_little, a_little, lambda asked: part(asked, FILE))
    assert_whole(told, [1, 0, 1, 0, 1, 0])
    assert [one.get("range") for one in asked] == [None, *(f"bytes={HALF + more}-" for more in (0, 1000, 2000))]


@pytest.mark.parametrize("etag", [None, 'W/"first"'])
async def test_a_server_without_a_strong_etag(etag: str | None) -> None:
    tags = {} if etag is None else {"etag": etag}
    told, asked = await followed(
        Answer(FILE[:HALF], length=len(FILE), headers=tags), lambda asked: part(asked, FILE, etag, size="*")
    )
    assert_whole(told, [1, 0])
    assert (asked[1]["range"], asked[1].get("if-range")) == (f"bytes={HALF}-", None)


async def test_a_server_that_ignores_range() -> None:
    told, asked = await followed(BREAKS, Answer(FILE))
    assert_whole(told, [1, 0])
    assert asked[1]["range"] == f"bytes={HALF}-"


async def test_a_server_that_is_busy_meanwhile() -> None:
    told, _ = await followed(BREAKS, Answer(b"", "503 Service Unavailable"), lambda asked: part(asked, FILE))
    assert_whole(told, [1, 2, 0])


async def test_an_encoding_of_the_transport_begins_anew() -> None:
    """The bytes that are here are those of the content, of which no server knows the place in the file."""
    encoded = {"content-encoding": "gzip"}
    told, asked = await followed(Answer(FILE[:HALF], length=len(FILE), headers=encoded), Answer(FILE, headers=encoded))
    assert (told["size"], told["ended"], told["waiting"]) == (len(CONTENT), 1, [1, 0])
    assert "range" not in asked[1]


@pytest.mark.parametrize(
    "answering",
    [
        lambda asked: part(asked, OTHER, '"second"'),
        lambda asked: Answer(OTHER, headers={"etag": '"second"'}),
        lambda asked: part({**asked, "if-range": '"second"'}, OTHER, '"second"'),
    ],
    ids=["If-Range is honoured", "Range is ignored", "If-Range is ignored"],
)
async def test_the_file_has_changed_in_between(answering: Answering) -> None:
    told, asked = await followed(BREAKS, answering)
    assert told["error"].startswith("Broken: ")
    assert told["error"].endswith("it is another file by now")
    assert (told["ended"], len(asked)) == (0, 2)


@pytest.mark.parametrize(
    "content_range", [f"bytes 0-{HALF}/{len(FILE)}", f"bytes {HALF}-{len(FILE)}/{len(FILE) + 1}", "", "bytes */7"]
)
async def test_another_part_than_was_asked_for(content_range: str) -> None:
    headers = {"content-range": content_range} if content_range else {}
    told, asked = await followed(BREAKS, Answer(FILE[HALF:], "206 Partial Content", headers))
    assert "another part than was asked for" in told["error"]
    assert (told["ended"], len(asked)) == (0, 2)
