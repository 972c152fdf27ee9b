"""Our client and our messages against a real reference dwn-server; identities through our gateway."""

from pathlib import Path

import pytest

from tests.interop.dwn_server import ReferenceDwnServer
from tests.served import served
from web5.dids import dht, dht_create
from web5.dids.signing import signer_for
from web5.dwn import compose
from web5.dwn.store.database import open_memory
from web5.errors import Unreachable
from web5.node.crypto import NodeCrypto
from web5.node.gateway import create_gateway
from web5.node.http import HttpxHttp
from web5.ports.clock import SystemClock
from web5.sync.remote import RemoteDwn

clock = SystemClock()
crypto = NodeCrypto()


class Setting:
    """A reference server, and an identity that it can resolve."""

    def __init__(self, server, remote, did, signer) -> None:
        self.server, self._remote, self.did, self.signer = server, remote, did, signer

    async def process(self, message, data=None):
        return await self._remote.process_message(self.server.url, self.did, message, data)

    async def info(self):
        return await self._remote.info(self.server.url)

    async def write(self, data: bytes, **more):
        message = await compose.records_write(self.signer, clock, data=data, data_format="text/plain", **more)
        return message, (await self.process(message, data))["status"]


@pytest.fixture
async def setting(tmp_path: Path):
    http = HttpxHttp()
    async with served(create_gateway(open_memory(), crypto)) as gateway:
        did = await dht_create.create(crypto, **dht_create.identity_defaults(["http://dwn.example"]))
        await dht.publish(did, http, crypto, gateway)
        async with ReferenceDwnServer(tmp_path / "reference", gateway) as server:
            yield Setting(server, RemoteDwn(http), did.uri, await signer_for(did, crypto))
    await http.close()


@pytest.mark.parametrize("size", [1, 30_000, 30_001, 1_000_000])
async def test_write_read_query_delete(setting, size):
    data = bytes(i & 255 for i in range(size))
    message, status = await setting.write(data, schema="https://schema.example/grüße")
    assert status["code"] == 202, status
    read = await compose.records_read(setting.signer, clock, filter={"recordId": message["recordId"]})
    reply = await setting.process(read)
    stream = reply["entry"]["data"]
    assert (reply["status"]["code"], stream.size) == (200, size)
    assert await stream.read() == data
    query = await compose.records_query(setting.signer, clock, filter={"schema": "https://schema.example/grüße"})
    entries = (await setting.process(query))["entries"]
    assert [entry["recordId"] for entry in entries] == [message["recordId"]]
    assert ("encodedData" in entries[0]) == (size <= 30_000)
    delete = await compose.records_delete(setting.signer, clock, record_id=message["recordId"])
    assert (await setting.process(delete))["status"]["code"] == 202
    assert (await setting.process(read))["status"]["code"] == 404


async def test_messages_read_brings_the_message_and_its_data(setting):
    message, _ = await setting.write(b"some text")
    reply = await setting.process(await compose.messages_query(setting.signer, clock))
    [cid] = reply["entries"]
    reply = await setting.process(await compose.messages_read(setting.signer, clock, message_cid=cid))
    assert reply["entry"]["message"] == message
    assert await reply["entry"]["data"].read() == b"some text"


async def test_refusal_is_a_reply_with_the_reference_words(setting):
    message, _ = await setting.write(b"text")
    message["authorization"]["signature"]["signatures"][0]["signature"] = "A" * 86
    status = (await setting.process(message, b"text"))["status"]
    assert (status["code"], status["detail"].partition(":")[0]) == (401, "GeneralJwsVerifierInvalidSignature")


async def test_message_over_nodes_header_limit_is_a_refusal_of_that_message(setting):
    _, status = await setting.write(b"text", tags={"long": "x" * 40_000})
    assert status["code"] == 431
    _, status = await setting.write(b"text")
    assert status["code"] == 202


async def test_info(setting):
    info = await setting.info()
    assert (info.server, info.version, info.max_file_size) == ("@web5/dwn-server", "0.6.1", 1024**3)
    assert (info.registration_requirements, info.web_socket_support) == ([], True)


async def test_server_that_dies_and_comes_back(setting):
    message, _ = await setting.write(b"kept")
    await setting.server.kill()
    with pytest.raises(Unreachable):
        await setting.write(b"lost")
    await setting.server.restart()
    read = await compose.records_read(setting.signer, clock, filter={"recordId": message["recordId"]})
    assert await (await setting.process(read))["entry"]["data"].read() == b"kept"
