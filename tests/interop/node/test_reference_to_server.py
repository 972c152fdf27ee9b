"""`@web5/agent`'s own HTTP and WebSocket clients against `python -m web5.node serve`."""

import asyncio
import hashlib

import pytest
import pytest_asyncio

from tests.interop.reference import ReferenceError, reference_fixture

pytestmark = pytest.mark.asyncio(loop_scope="session")

reference = reference_fixture("client.mjs", scope="session")


@pytest.fixture
def server(embedded):
    return embedded


class Client:
    """The reference client with an identity of its own at one node."""

    @classmethod
    async def make(cls, reference, server, node="/dwn0"):
        self = cls()
        self._reference, self.endpoint = reference, server.url + node
        self.did = await reference.call("newDid", gateway=server.url + "/dht")
        return self

    async def __call__(self, method: str, **params):
        return await self._reference.call(method, endpoint=self.endpoint, did=self.did, **params)


@pytest_asyncio.fixture(loop_scope="session")
async def client(reference, server):
    return await Client.make(reference, server)


def sha256(size: int) -> str:
    return hashlib.sha256(bytes(i & 255 for i in range(size))).hexdigest()


@pytest.mark.parametrize("size", [12, 30_000, 30_001, 1_000_000])
async def test_write_read_query_delete(client, size):
    written = await client("write", size=size, schema="https://schema.example/grüße")
    assert written["status"]["code"] == 202, written
    record_id = written["recordId"]
    read = await client("read", recordId=record_id)
    assert (read["status"]["code"], read["size"], read["sha256"]) == (200, size, sha256(size))
    reply = await client("query", filter={"schema": "https://schema.example/grüße"})
    assert [entry["recordId"] for entry in reply["entries"]] == [record_id]
    assert ("encodedData" in reply["entries"][0]) == (size <= 30_000)
    assert (await client("delete", recordId=record_id))["status"]["code"] == 202
    assert (await client("read", recordId=record_id))["status"]["code"] == 404
    assert (await client("query", filter={"recordId": record_id}))["entries"] == []


async def test_update(client):
    record_id = (await client("write", text="first"))["recordId"]
    assert (await client("write", text="second", recordId=record_id))["status"]["code"] == 202
    assert (await client("read", recordId=record_id))["sha256"] == hashlib.sha256(b"second").hexdigest()


async def test_stranger_is_refused(client, reference, server):
    record_id = (await client("write", text="mine"))["recordId"]
    stranger = await reference.call("newDid", gateway=server.url + "/dht", publish=False)
    written = await reference.call("write", endpoint=client.endpoint, did=stranger, text="who am I")
    assert written["status"]["code"] == 401, "a DID that nobody published cannot be verified"
    assert (await client("read", recordId=record_id))["status"]["code"] == 200


async def test_nodes_of_one_process_are_separate(reference, server):
    first, second = [await Client.make(reference, server, node) for node in ("/dwn0", "/dwn1/")]
    written = await first("write", text="in the first")
    assert (await second("write", text="in the second"))["status"]["code"] == 202
    second.did = first.did
    assert (await second("read", recordId=written["recordId"]))["status"]["code"] == 404


@pytest.mark.parametrize("node", ["/dwn0", "/dwn1/"])
async def test_info(reference, server, node):
    assert await reference.call("info", endpoint=server.url + node) == {
        "registrationRequirements": [],
        "maxFileSize": 1024**3,
        "webSocketSupport": True,
    }


async def test_what_makes_no_sense_is_refused_and_harms_nothing(client):
    assert (await client("send", message={"descriptor": {"interface": "No", "method": "Such"}}))["status"][
        "code"
    ] == 400
    assert (await client("write", text="still there"))["status"]["code"] == 202


async def test_50_writes_at_once(client):
    written = await asyncio.gather(*(client("write", text=f"note {n}") for n in range(50)))
    assert [write["status"]["code"] for write in written] == [202] * 50
    entries = (await client("query", filter={"dataFormat": "text/plain"}))["entries"]
    assert {entry["recordId"] for entry in entries} == {write["recordId"] for write in written}


async def test_it_is_told_of_what_is_written(client):
    schema = "https://schema.example/grüße"
    everything = await client("subscribe")
    records = await client("subscribe", filter={"schema": schema})
    assert (everything["status"]["code"], records["status"]["code"]) == (200, 200)
    wanted = await client("write", text="wanted", schema=schema)
    other = await client("write", text="other")
    await client("write", text="wanted again", recordId=wanted["recordId"])
    record_ids = [wanted["recordId"], other["recordId"], wanted["recordId"]]
    told = await client("events", subscription=everything["subscription"], count=3)
    assert [event["message"]["recordId"] for event in told] == record_ids
    told = await client("events", subscription=records["subscription"], count=2)
    assert [event["message"]["recordId"] for event in told] == [wanted["recordId"]] * 2
    assert told[1]["initialWrite"] == told[0]["message"]
    assert "encodedData" not in told[0]["message"]


async def test_a_subscription_that_it_closed_is_told_nothing_more(client):
    first, second = [(await client("subscribe"))["subscription"] for _ in range(2)]
    await client("unsubscribe", subscription=first)
    await client("write", text="text")
    assert len(await client("events", subscription=second, count=1)) == 1
    assert await client("events", subscription=first, count=0) == []


async def test_it_asks_and_deletes_over_the_socket(client):
    record_id = (await client("write", text="text"))["recordId"]
    found = await client("queryOverSocket", filter={"recordId": record_id})
    assert [entry["recordId"] for entry in found["entries"]] == [record_id]
    assert (await client("deleteOverSocket", recordId=record_id))["status"]["code"] == 202
    assert (await client("queryOverSocket", filter={"recordId": record_id}))["entries"] == []


async def test_a_stranger_may_not_subscribe(client, reference, server):
    stranger = await reference.call("newDid", gateway=server.url + "/dht")
    assert (await client("subscribe", signedBy=stranger))["status"]["code"] == 401
    assert (await client("subscribe"))["status"]["code"] == 200


async def test_data_do_not_go_over_its_socket(client):
    with pytest.raises(ReferenceError, match="RecordsWrite is not supported via ws"):
        await client("writeOverSocket", text="text")
