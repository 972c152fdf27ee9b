"""Signatures of each curve, and encrypted records: what either engine makes, the other takes."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.interop.reference import ReferenceScript, reference_fixture
from tests.unit.dwn.persons import SteppingClock, our_engine, person
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.dwn import compose

CURVES = ["Ed25519", "secp256k1", "P-256"]


signing = reference_fixture("signing.mjs")


@pytest.mark.parametrize("curve", CURVES)
async def test_we_take_what_the_reference_signs(signing: ReferenceScript, curve: str) -> None:
    dwn = await our_engine(SteppingClock())
    made = await signing.call("write", curve=curve, text="hello")
    reply = await dwn.process_message(made["did"], made["message"], b"hello")
    assert reply["status"] == {"code": 202, "detail": "Accepted"}


@pytest.mark.parametrize("curve", CURVES)
async def test_both_refuse_another_signature_of_the_curve(reference: ReferenceScript, curve: str) -> None:
    clock, alice, mallory = SteppingClock(), await person(curve), await person(curve)
    dwn = await our_engine(clock)
    write = await compose.records_write(alice.signer, clock, data=b"hello", data_format="text/plain")
    forged = await compose.records_write(mallory.signer, clock, data=b"hello", data_format="text/plain")
    other = forged["authorization"]["signature"]["signatures"][0]["signature"]
    write["authorization"]["signature"]["signatures"][0]["signature"] = other
    theirs = await reference.call("process", tenant=alice.did, message=write, data=base64.b64encode(b"hello").decode())
    ours = await dwn.process_message(alice.did, write, b"hello")
    assert ours["status"]["code"] == theirs["status"]["code"] == 401
    assert {reply["status"]["detail"].partition(":")[0] for reply in (ours, theirs)} == {
        "GeneralJwsVerifierInvalidSignature"
    }


async def test_both_take_a_p256_signature_in_der(reference: ReferenceScript) -> None:
    """As key services give it; the reference allows it for this curve."""
    clock, alice = SteppingClock(), await person("P-256")
    dwn = await our_engine(clock)
    write = await compose.records_write(alice.signer, clock, data=b"hello", data_format="text/plain")
    entry = write["authorization"]["signature"]["signatures"][0]
    raw = b64url_decode(entry["signature"])
    entry["signature"] = b64url_encode(encode_dss_signature(*(int.from_bytes(raw[at : at + 32]) for at in (0, 32))))
    theirs = await reference.call("process", tenant=alice.did, message=write, data=base64.b64encode(b"hello").decode())
    ours = await dwn.process_message(alice.did, write, b"hello")
    assert ours["status"] == theirs["status"] == {"code": 202, "detail": "Accepted"}


async def test_encrypted_records(signing: ReferenceScript, reference: ReferenceScript) -> None:
    clock = SteppingClock()
    dwn = await our_engine(clock)
    made = await signing.call("encrypted", text="secret", schema="http://a.example")
    did, message, data = made["did"], made["message"], base64.b64decode(made["data"])
    encryption: Any = message["encryption"]
    assert (await dwn.process_message(did, message, data))["status"]["code"] == 202
    ((_, cid),) = dwn.store.entries_after(did, 0, 2)
    stored = await dwn.read_stored(did, cid)
    assert stored is not None and stored.message == message

    alice = await person()
    ours = await compose.records_write(
        alice.signer, clock, data=data, data_format="text/plain", schema="http://a.example", encryption=encryption
    )
    theirs = await reference.call("process", tenant=alice.did, message=ours, data=made["data"])
    assert theirs["status"]["code"] == 202
    read = await compose.records_read(alice.signer, clock, filter={"recordId": ours["recordId"]})
    entry = (await reference.call("process", tenant=alice.did, message=read))["entry"]
    assert entry["recordsWrite"]["encryption"] == encryption
