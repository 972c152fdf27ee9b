"""Status lists: ours, the reference's, and those that cannot be used."""

from __future__ import annotations

import gzip
from base64 import b64encode
from typing import Any

import httpx
import pytest

from tests.unit.vc.parties import VECTORS, World, claims_of, crypto, sign_claims
from web5.crypto.encoding import b64url_encode
from web5.dids import jwk
from web5.dids.models import PortableDid
from web5.errors import CredentialError, InvalidArgument
from web5.vc import Code, VerifiableCredential, credential_signer, parse_credential, sign_credential
from web5.vc.status_list import LIST_BITS, MAX_LIST_BYTES, create, entry, is_disabled

URL = "https://issuer.example/status"


class Issuer:
    """An issuer that publishes a status list."""

    def __init__(self, world: World, did: PortableDid) -> None:
        self.world = world
        self.did = did

    async def issue(self, index: int, **options: Any) -> VerifiableCredential:
        text = await self.world.issue(self.did, credential_status=entry(URL, index, **options))
        return await self.world.verifier.verify(text)

    async def publish(self, *disabled: VerifiableCredential, **options: Any) -> str:
        made = create(list_url=URL, issuer=self.did.uri, disabled=disabled, clock=self.world.clock, **options)
        text = await sign_credential(made, await credential_signer(self.did, crypto), self.world.clock)
        self.world.web.pages[URL] = text
        return text


@pytest.fixture
async def issuer() -> Issuer:
    return Issuer(World(), await jwk.create(crypto))


async def status_code(world: World, credential: VerifiableCredential) -> str:
    with pytest.raises(CredentialError) as raised:
        await world.verifier.status(credential)
    return raised.value.code


async def test_what_is_on_the_list_is_taken_back(issuer: Issuer) -> None:
    first, last, neighbour = [await issuer.issue(index) for index in (0, LIST_BITS - 1, 1)]
    await issuer.publish(first, last)
    assert [await issuer.world.verifier.status(one) for one in (first, last, neighbour)] == [
        "revocation",
        "revocation",
        None,
    ]


async def test_a_suspension_is_told_as_one(issuer: Issuer) -> None:
    credential = await issuer.issue(7, purpose="suspension")
    await issuer.publish(credential, purpose="suspension")
    assert await issuer.world.verifier.status(credential) == "suspension"
    await issuer.publish(purpose="suspension")
    assert await issuer.world.verifier.status(credential) is None


async def test_a_credential_without_a_status_is_in_force(issuer: Issuer) -> None:
    text = await issuer.world.issue(issuer.did)
    assert await issuer.world.verifier.status(parse_credential(text)) is None
    assert issuer.world.web.asked == []


async def test_the_references_list_is_read(issuer: Issuer) -> None:
    vector = VECTORS["statusList"]
    issuer.world.web.pages["https://example.com/list"] = vector["jwt"] + "\n"
    told = [await issuer.world.verifier.status(parse_credential(text)) for text in vector["credentials"]]
    assert [one == "revocation" for one in told] == vector["disabled"]


async def test_what_has_no_bit_is_not_put_on_a_list(issuer: Issuer) -> None:
    one, other = await issuer.issue(5), await issuer.issue(5)
    without = parse_credential(await issuer.world.issue(issuer.did))
    for disabled in ([one, other], [without], [await issuer.issue(6, purpose="suspension")]):
        with pytest.raises(InvalidArgument):
            await issuer.publish(*disabled)
    for index in (-1, LIST_BITS):
        with pytest.raises(InvalidArgument, match="index"):
            entry(URL, index)


@pytest.mark.parametrize("page", [None, httpx.ReadTimeout("slow")])
async def test_a_list_that_cannot_be_had_is_not_passed_over(issuer: Issuer, page: Any) -> None:
    credential = await issuer.issue(5)
    issuer.world.web.pages[URL] = page
    assert await status_code(issuer.world, credential) == Code.STATUS_UNAVAILABLE


async def test_a_list_of_another_or_for_another_purpose_is_not_used(issuer: Issuer) -> None:
    credential = await issuer.issue(5)
    await Issuer(issuer.world, await jwk.create(crypto)).publish()
    assert await status_code(issuer.world, credential) == Code.STATUS_UNUSABLE
    await issuer.publish(purpose="suspension")
    assert await status_code(issuer.world, credential) == Code.STATUS_UNUSABLE
    issuer.world.web.pages[URL] = await issuer.world.issue(issuer.did)
    assert await status_code(issuer.world, credential) == Code.STATUS_UNUSABLE
    issuer.world.web.pages[URL] = "revoked: none"
    assert await status_code(issuer.world, credential) == Code.MALFORMED_JWT


@pytest.mark.parametrize(
    "encoded",
    [
        None,
        "!",
        b64url_encode(b"not packed"),
        b64url_encode(gzip.compress(bytes(100))[:-9]),
        b64url_encode(gzip.compress(b"")),
        b64url_encode(gzip.compress(bytes(MAX_LIST_BYTES + 1))),
    ],
    ids=["none", "not base64", "not packed", "cut off", "empty", "a bomb"],
)
async def test_bits_that_cannot_be_read_are_not_used(issuer: Issuer, encoded: Any) -> None:
    credential = await issuer.issue(5)
    claims = claims_of(await issuer.publish())
    claims["vc"]["credentialSubject"]["encodedList"] = encoded
    issuer.world.web.pages[URL] = await sign_claims(issuer.did, claims)
    assert await status_code(issuer.world, credential) == Code.STATUS_UNUSABLE


async def test_plain_base64_is_read_too(issuer: Issuer) -> None:
    credential = await issuer.issue(5)
    claims = claims_of(await issuer.publish())
    claims["vc"]["credentialSubject"]["encodedList"] = b64encode(gzip.compress(b"\xfb" * 50)).decode()
    issuer.world.web.pages[URL] = await sign_claims(issuer.did, claims)
    assert await issuer.world.verifier.status(credential) is None
    assert await issuer.world.verifier.status(await issuer.issue(6)) == "revocation"


@pytest.mark.parametrize("index", [None, 5, "", "-1", "٣", "5.0", str(LIST_BITS), "9" * 5000])
async def test_an_index_that_is_none_is_not_used(issuer: Issuer, index: Any) -> None:
    listed = parse_credential(await issuer.publish())
    with pytest.raises(CredentialError) as raised:
        is_disabled({**entry(URL, 5), "statusListIndex": index}, listed)
    assert raised.value.code == Code.STATUS_UNUSABLE


@pytest.mark.parametrize("status", ["Other", "StatusList2021Entry"])
async def test_another_kind_of_status_is_not_passed_over(issuer: Issuer, status: str) -> None:
    text = await issuer.world.issue(issuer.did, credential_status={"id": f"{URL}#5", "type": status})
    assert await status_code(issuer.world, parse_credential(text)) == Code.STATUS_UNUSABLE
