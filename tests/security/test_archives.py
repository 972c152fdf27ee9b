"""Archives that an attacker made, or that broke: refused by a typed error, and nothing of them comes in unverified."""

from __future__ import annotations

import hashlib
import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.contracts.memory import MIB, at_most
from web5 import Web5
from web5.agent.agent import Agent
from web5.archive import zip_reader
from web5.archive.identity_files import manifest_signature
from web5.cpython.crypto import CPythonCrypto
from web5.crypto.encoding import b64url_encode
from web5.dids import dht, jwk
from web5.dids.keys import signer_for
from web5.dids.models import PortableDid
from web5.dwn import compose
from web5.dwn.values.cid import message_cid
from web5.errors import ArchiveDamaged, ArchiveError, ArchiveNewer, IdentityError, Web5Error
from web5.ports.clock import SystemClock

PLACE = ["http://127.0.0.1:9/"]
LARGE = bytes(range(256)) * 300
ZEROS = 100 * MIB
CLOCK = SystemClock()
CRYPTO = CPythonCrypto()

Files = dict[str, bytes]


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def connect(folder: Path) -> Web5:
    return (await Web5.connect(data_path=folder, did_dht_gateways=PLACE, dwn_endpoints=[], sync="off")).web5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def laptop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Web5]:
    """A device with an identity and some records."""
    web5 = await connect(tmp_path_factory.mktemp("laptop"))
    for number in range(5):
        await web5.dwn.records.create(f"note {number}", schema="https://example.org/note")
    await web5.dwn.records.create(LARGE, schema="https://example.org/film")
    yield web5
    await web5.close()


@pytest_asyncio.fixture(loop_scope="module")
async def phone(tmp_path: Path) -> AsyncIterator[Web5]:
    """Another device with another agent."""
    web5 = await connect(tmp_path / "phone")
    yield web5
    await web5.close()


async def exported(web5: Web5) -> Files:
    """The files of an archive."""
    target = io.BytesIO()
    await web5.export(target, keys="plain")
    with zipfile.ZipFile(target) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: Files) -> io.BytesIO:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_STORED)
    return target


async def signed(web5: Web5, files: Files, **changes: Any) -> Files:
    """The files with a manifest that fits them and is signed by the identity: whatever is wrong lies deeper."""
    manifest = json.loads(files["manifest.json"])
    others = [name for name in files if not name.startswith(("manifest.", "data/"))]
    manifest["files"] = [
        {
            "name": name,
            "size": len(files[name]),
            "sha256": hashlib.sha256(files[name]).hexdigest(),
            "messages": files[name].count(b"\n") if name.startswith("messages/") else 0,
        }
        for name in others
    ]
    manifest["messages"] = sum(file["messages"] for file in manifest["files"])
    data = [content for name, content in files.items() if name.startswith("data/")]
    manifest |= {"data": len(data), "data_bytes": sum(map(len, data)), **changes}
    content = json.dumps(manifest).encode()
    signature = await manifest_signature(content, await web5.agent.signer(web5.connected_did))
    return {**files, "manifest.json": content, "manifest.jws": signature}


PART = "messages/000001.jsonl"


def data_of(files: Files) -> str:
    return next(name for name in files if name.startswith("data/"))


async def refused(phone: Web5, archive: io.BytesIO, kind: type[Web5Error], match: str = ".") -> None:
    """The archive is refused, and nothing has changed."""
    before = _counts(phone.agent)
    with pytest.raises(kind, match=match):
        await phone.import_(archive)
    assert _counts(phone.agent) == before


def _counts(agent: Agent) -> tuple[int, int]:
    [(messages,)] = agent.dwn.store.connection.execute("SELECT count(*) FROM dwn_message")
    return messages, len(agent.identities.list())


STRUCTURE: dict[str, tuple[Callable[[Files], object], type[Web5Error], str]] = {
    "a path out of it": (lambda files: files.update({"../../etc/passwd": b"x"}), ArchiveError, "no archive has"),
    "an absolute path": (lambda files: files.update({"/etc/passwd": b"x"}), ArchiveError, "no archive has"),
    "a path in a folder": (lambda files: files.update({"messages/../x.jsonl": b"x"}), ArchiveError, "no archive has"),
    "a file too many": (lambda files: files.update({"messages/000009.jsonl": b""}), ArchiveError, "does not name"),
    "data too many": (lambda files: files.update({f"data/b{'a' * 58}": b"x"}), ArchiveError, "files of data"),
    "data too few": (lambda files: files.pop(data_of(files)), ArchiveError, "files of data"),
    "messages too few": (lambda files: files.pop(PART), ArchiveError, "not there"),
    "no manifest": (lambda files: files.pop("manifest.json"), ArchiveError, "no such file"),
    "no signature": (lambda files: files.pop("manifest.jws"), ArchiveError, "no such file"),
    "no identity": (lambda files: files.pop("identity.json"), ArchiveError, "not there"),
    "another's signature": (lambda files: files.update({"manifest.jws": b"{}"}), ArchiveError, "no signature"),
    "a manifest that is none": (lambda files: files.update({"manifest.json": b"[]"}), ArchiveError, "no archive"),
    "a manifest of nothing but brackets": (
        lambda files: files.update({"manifest.json": b"[" * 1_000_000}),
        ArchiveError,
        "not JSON",
    ),
    "a signature of nothing but brackets": (
        lambda files: files.update({"manifest.jws": b"[" * 500_000}),
        ArchiveError,
        "not JSON",
    ),
    "a manifest that was changed": (
        lambda files: files.update(
            {"manifest.json": files["manifest.json"].replace(b'"left_out": []', b'"left_out":[]')}
        ),
        ArchiveError,
        "has not signed",
    ),
    "an identity that was changed": (
        lambda files: files.update({"identity.json": files["identity.json"].replace(b"Default", b"Defaulx")}),
        ArchiveDamaged,
        "not the file",
    ),
}


@pytest.mark.parametrize("name", STRUCTURE)
async def test_what_is_no_archive_is_refused_whole(laptop: Web5, phone: Web5, name: str) -> None:
    change, kind, match = STRUCTURE[name]
    files = await exported(laptop)
    change(files)
    await refused(phone, zipped(files), kind, match)


async def test_a_manifest_that_somebody_else_signed_is_refused(laptop: Web5, phone: Web5) -> None:
    files = await exported(laptop)
    signer = await phone.agent.signer(phone.connected_did)
    signature = await manifest_signature(files["manifest.json"], signer)
    await refused(phone, zipped({**files, "manifest.jws": signature}), ArchiveError, "has not signed")


async def test_a_newer_format_is_said_to_be_one(laptop: Web5, phone: Web5) -> None:
    files = await signed(laptop, await exported(laptop), version=2, something_new=True)
    await refused(phone, zipped(files), ArchiveNewer, "format 2")


async def test_keys_that_are_not_the_dids_own_are_refused(laptop: Web5, phone: Web5) -> None:
    """Who makes a document for somebody else's DID does not become that one."""
    files = await exported(laptop)
    victim = await dht.create(CRYPTO, **dht.identity_defaults([]))
    attacker = await dht.create(CRYPTO, **dht.identity_defaults([]))
    forged = json.loads(json.dumps(attacker.to_wire()).replace(attacker.uri, victim.uri))
    identity = {"portableDid": forged, "metadata": {"name": "Me"}}
    signer = await signer_for(PortableDid.from_wire(forged), CRYPTO)
    files["identity.json"] = json.dumps(identity).encode()
    files = await signed(laptop, files, did=victim.uri)
    files["manifest.jws"] = await manifest_signature(files["manifest.json"], signer)
    await refused(phone, zipped(files), IdentityError, "not that DID's")


async def test_a_file_of_messages_that_was_changed_is_not_looked_into(laptop: Web5, phone: Web5) -> None:
    files = await exported(laptop)
    files[PART] = files[PART].replace(b"example.org/note", b"example.org/nose")
    with pytest.raises(ArchiveDamaged, match=PART):
        await phone.import_(zipped(files))
    assert not phone.agent.dwn.store.tenant(laptop.connected_did)
    report = await phone.import_(zipped(files), skip_damaged=True)
    assert (report.taken, report.damaged, report.complete) == (0, [PART], False)


async def test_data_that_were_changed_do_not_come_in(laptop: Web5, phone: Web5) -> None:
    files = await exported(laptop)
    name = data_of(files)
    for content in (bytes(len(LARGE)), LARGE[:-1] + b"\0"):
        report = await phone.import_(zipped({**files, name: content}))
        assert (report.refused, report.complete) == (1, False)
        assert "RecordsWriteDataCidMismatch" in report.refusals[0].reason
    assert not await phone.agent.dwn.blobs.keys()
    report = await phone.import_(zipped(files))
    assert (report.taken, report.complete) == (1, True)


async def test_each_message_is_verified_whoever_signed_the_manifest(laptop: Web5, phone: Web5) -> None:
    files = await exported(laptop)
    mallory = await signer_for(await jwk.create(CRYPTO), CRYPTO)
    foreign = await compose.records_write(
        mallory, CLOCK, data=b"mallory's", data_format="text/plain", schema="https://example.org/note"
    )
    definition = {"protocol": "https://example.org/p", "published": True, "types": {}, "structure": {}}
    configure = await compose.protocols_configure(mallory, CLOCK, definition=definition)
    first = json.loads(files[PART].split(b"\n")[0])
    tampered = json.loads(json.dumps(first))
    tampered["message"]["descriptor"]["schema"] = "https://example.org/other"
    tampered["cid"] = message_cid(tampered["message"])
    lines = [
        {"cid": message_cid(foreign), "message": foreign, "encodedData": b64url_encode(b"mallory's")},
        {"cid": message_cid(configure), "message": configure},
        tampered,
        {**first, "encodedData": b64url_encode(b"other data")},
        {"cid": first["cid"], "message": first["message"]},
    ]
    files[PART] = b"".join(json.dumps(one).encode() + b"\n" for one in lines)
    report = await phone.import_(zipped(await signed(laptop, files)))
    assert (report.taken, report.refused) == (0, len(lines))
    assert not phone.agent.dwn.store.tenant(laptop.connected_did)


QUERY = {"descriptor": {"interface": "Records", "method": "Query", "filter": {}}}
LINES: dict[str, bytes] = {
    "no JSON": b"{",
    "brackets": b"[" * 100_000,
    "a list": b"[]",
    "no message": b'{"cid":"x"}',
    "a query": json.dumps({"cid": message_cid(QUERY), "message": QUERY}).encode(),
    "an unknown kind": b'{"cid":"x","message":{"descriptor":{"interface":["Records"],"method":{}}}}',
    "another CID": b'{"cid":"x","message":{"descriptor":{"interface":"Records","method":"Delete"}}}',
    "NaN": b'{"cid":"x","message":{"descriptor":{"interface":"Records","method":"Write","a":NaN}}}',
    "no text": b'{"cid":"x","message":{"descriptor":{"interface":"Records","method":"Write"}},"encodedData":1}',
    "bad bytes": b"\xff\xfe",
}


@pytest.mark.parametrize("name", LINES)
async def test_lines_that_are_no_messages_are_refused(laptop: Web5, phone: Web5, name: str) -> None:
    files = await exported(laptop)
    files[PART] = LINES[name] + b"\n"
    with pytest.raises(ArchiveError, match=PART):
        await phone.import_(zipped(await signed(laptop, files)))
    assert not phone.agent.dwn.store.tenant(laptop.connected_did)


async def test_messages_that_no_record_is_there_for_change_nothing(laptop: Web5, phone: Web5) -> None:
    record = (await laptop.dwn.records.query(schema="https://example.org/note"))[0]
    await record.update(data="changed")
    files = await exported(laptop)
    lines = [json.loads(one) for one in files[PART].splitlines()]
    files[PART] = b"".join(
        json.dumps(one).encode() + b"\n"
        for one in lines
        if one["message"]["descriptor"].get("dateCreated") != one["message"]["descriptor"]["messageTimestamp"]
    )
    report = await phone.import_(zipped(await signed(laptop, files)))
    assert (report.taken, report.refused) == (0, 1)


# -- ZIP


def _with_entry(files: Files, name: str, packed: bytes, declared: int, *, flags: int = 0, method: int = 8) -> bytes:
    """An archive whose last file is deflated by hand, with what its headers are to say of it."""
    others = zipped({other: content for other, content in files.items() if other != name}).getvalue()
    end = others.rindex(b"PK\5\6")
    *_, count, size, offset, _ = struct.unpack("<4s4H2IH", others[end : end + 22])
    header = struct.pack("<HHHHHIIIHH", 20, flags, method, 0, 33, 0, len(packed), declared, len(name), 0)
    local = b"PK\3\4" + header + name.encode() + packed
    central = (
        others[offset : offset + size]
        + b"PK\1\2"
        + struct.pack("<H", 20)
        + header
        + struct.pack("<HHHII", 0, 0, 0, 0, offset)
        + name.encode()
    )
    tail = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count + 1, count + 1, len(central), offset + len(local), 0)
    return others[:offset] + local + central + tail


@cache
def _zeros() -> bytes:
    machine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join([machine.compress(bytes(MIB)) for _ in range(ZEROS // MIB)]) + machine.flush()


@pytest.mark.parametrize("name", [PART, "manifest.json", "manifest.jws", "identity.json"])
@pytest.mark.parametrize("declared", [1000, None])
async def test_a_file_that_unpacks_into_much_more_is_not_unpacked(
    laptop: Web5, phone: Web5, name: str, declared: int | None
) -> None:
    files = await exported(laptop)
    archive = _with_entry(files, name, _zeros(), declared or ZEROS)
    with at_most(20 * MIB), pytest.raises(ArchiveError):
        await phone.import_(io.BytesIO(archive))
    assert not phone.agent.dwn.store.tenant(laptop.connected_did)


async def test_entries_that_share_bytes_are_refused(laptop: Web5, phone: Web5) -> None:
    archive = bytearray(zipped(await exported(laptop)).getvalue())
    end = archive.rindex(b"PK\5\6")
    [offset] = struct.unpack("<I", archive[end + 16 : end + 20])
    second = archive.index(b"PK\1\2", offset + 4)
    archive[second + 42 : second + 46] = bytes(4)  # it says that it begins where the first does
    await refused(phone, io.BytesIO(archive), ArchiveError, "shares bytes")


async def test_what_zip_encrypts_or_compresses_otherwise_is_refused(laptop: Web5, phone: Web5) -> None:
    files = await exported(laptop)
    content = files["manifest.json"]
    encrypted = _with_entry(files, "manifest.json", content, len(content), flags=1, method=0)
    await refused(phone, io.BytesIO(encrypted), ArchiveError, "encrypted")
    other = _with_entry(files, "manifest.json", content, len(content), method=14)
    await refused(phone, io.BytesIO(other), ArchiveError, "compressed in a way")


async def test_two_files_of_one_name_are_refused(laptop: Web5, phone: Web5) -> None:
    files = await exported(laptop)
    content = files["manifest.json"]
    twice = _with_entry({**files, "other": content}, "another", content, len(content), method=0)
    archive = twice.replace(b"another", b"did.jsn").replace(b"other", b"did.x")
    await refused(phone, io.BytesIO(archive), ArchiveError)
    target = zipped(files)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(target, "a") as opened:
        opened.writestr("manifest.json", content)
    await refused(phone, target, ArchiveError, "one name")


async def test_more_files_than_are_let_in_are_refused(
    laptop: Web5, phone: Web5, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_reader, "MOST_ENTRIES", 3)
    await refused(phone, zipped(await exported(laptop)), ArchiveError, "more than 3 files")


async def test_a_directory_that_does_not_fit_into_memory_is_not_read(phone: Web5, tmp_path: Path) -> None:
    path = tmp_path / "hollow.zip"
    with path.open("wb") as file:
        file.truncate(200 * MIB)
        file.seek(0, io.SEEK_END)
        file.write(struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 60_000, 60_000, 190 * MIB, 10 * MIB, 0))
    with at_most(MIB), pytest.raises(ArchiveError, match="directory is larger"):
        await phone.import_(path)


async def test_an_archive_that_is_cut_off_anywhere_is_refused_whole(laptop: Web5, phone: Web5) -> None:
    content = zipped(await exported(laptop)).getvalue()
    for length in {0, 1, 21, 22, 100, *range(1000, len(content), 4999), len(content) - 1}:
        await refused(phone, io.BytesIO(content[:length]), ArchiveError)


async def test_bytes_that_flipped_are_told_or_change_nothing(laptop: Web5, phone: Web5) -> None:
    """Whatever byte is another: a typed error, or every message that came in is as it was signed."""
    content, chance = zipped(await exported(laptop)).getvalue(), random.Random(5)
    directory = content.index(b"PK\1\2")
    places = [chance.randrange(directory, len(content)) for _ in range(150)]
    for place in [*places, *(chance.randrange(len(content)) for _ in range(50))]:
        changed = bytearray(content)
        changed[place] ^= 1 << chance.randrange(8)
        try:
            report = await phone.import_(io.BytesIO(changed))
        except (ArchiveError, IdentityError):
            continue
        assert report.did == laptop.connected_did
    there, here = laptop.agent.dwn.store, phone.agent.dwn.store
    cids = {cid for _, cid in here.entries_after(laptop.connected_did, 0, 100)}
    assert there.missing(laptop.connected_did, cids) == set()


async def test_an_import_that_is_cancelled_goes_on_when_it_is_repeated(phone: Web5, tmp_path: Path) -> None:
    web5 = await connect(tmp_path / "much")
    for number in range(300):
        await web5.dwn.records.create(f"note {number}", schema="https://example.org/note")
    path = tmp_path / "me.zip"
    await web5.export(path, keys="plain")

    class Enough(Exception):
        pass

    def stop(step: str, done: int, total: int) -> None:
        if done >= 100:
            raise Enough

    with pytest.raises(Enough):
        await phone.import_(path, on_progress=stop)
    report = await phone.import_(path)
    assert 100 <= report.there < 300 and report.taken == 300 - report.there and report.complete
    await web5.close()
