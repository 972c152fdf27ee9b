"""What a server may answer to somebody who wants to register."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from web5.cpython.http import HttpxHttp
from web5.crypto.proof_of_work import LARGEST, Challenge
from web5.errors import BadReply, BodyTooLarge, RegistrationError, RegistrationReason
from web5.remote.registration import MAX_BYTES, Demands, RegistrationClient, Terms, registration_data

ENDPOINT = "http://dwn.example/node"
WORK, TERMS = "proof-of-work-sha256-v0", "terms-of-service"


def client_of(**answers: Response) -> RegistrationClient:
    """A client of a server with these answers, by the last part of the path."""

    async def answer(request: Request) -> Response:
        name = request.url.path.removeprefix("/node/").rpartition("/")[2].replace("-", "_")
        return answers.get(name, PlainTextResponse("Not Found", 404))

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
    return RegistrationClient(lambda endpoint: HttpxHttp(httpx.ASGITransport(app)), timeout=5)


def asking(*requirements: str) -> Response:
    return JSONResponse({"registrationRequirements": list(requirements)})


def challenge(nonce: object, bound: object) -> Response:
    return JSONResponse({"challengeNonce": nonce, "maximumAllowedHashValue": bound})


async def test_both_are_asked_for() -> None:
    client = client_of(
        info=asking(WORK, TERMS), terms_of_service=PlainTextResponse("Grüße"), proof_of_work=challenge("AB", "00ff")
    )
    demands = await client.demands(ENDPOINT)
    assert demands.challenge == Challenge("AB", 255)
    assert demands.terms == Terms("Grüße", "f83e039796c6453a10f5519e39fd113901572316a1a8ea07cb525d2801dfd074")


@pytest.mark.parametrize(("asked", "has_terms", "has_work"), [((TERMS,), True, False), ((WORK,), False, True)])
async def test_only_what_is_demanded_is_asked_for(asked: tuple[str, ...], has_terms: bool, has_work: bool) -> None:
    client = client_of(
        info=asking(*asked), terms_of_service=PlainTextResponse("x"), proof_of_work=challenge("AB", "F" * 64)
    )
    demands = await client.demands(ENDPOINT)
    assert (demands.terms is not None, demands.challenge is not None) == (has_terms, has_work)


@pytest.mark.parametrize("asked", [(), ("payment",), (TERMS, "passport")])
async def test_what_cannot_be_met_is_said(asked: tuple[str, ...]) -> None:
    with pytest.raises(RegistrationError) as error:
        await client_of(info=asking(*asked), terms_of_service=PlainTextResponse("x")).demands(ENDPOINT)
    assert error.value.reason is RegistrationReason.NO_WAY
    assert ("payment" in str(error.value)) == ("payment" in asked)


@pytest.mark.parametrize(
    "answer",
    [
        PlainTextResponse("<html>"),
        JSONResponse([]),
        JSONResponse({}),
        challenge(1, "FF"),
        challenge("AB", 255),
        challenge("AB", "0x1F"),
        challenge("AB", "-1"),
        challenge("AB", ""),
        challenge("AB", "xyz"),
        challenge("AB", "F" * 5000),
        challenge("A" * 5000, "FF"),
    ],
)
async def test_what_is_no_challenge_is_said(answer: Response) -> None:
    with pytest.raises(RegistrationError) as error:
        await client_of(info=asking(WORK), proof_of_work=answer).demands(ENDPOINT)
    assert error.value.reason is RegistrationReason.BAD_ANSWER


async def test_a_bound_beyond_all_hashes_is_met_by_any() -> None:
    client = client_of(info=asking(WORK), proof_of_work=challenge("AB", "F" * 100))
    assert (await client.demands(ENDPOINT)).challenge == Challenge("AB", LARGEST)


async def test_terms_without_end_are_not_read() -> None:
    with pytest.raises(BodyTooLarge):
        await client_of(info=asking(TERMS), terms_of_service=Response(b"x" * (MAX_BYTES + 1))).demands(ENDPOINT)


async def test_something_that_is_no_dwn_server_is_said() -> None:
    with pytest.raises(BadReply):
        await client_of(info=PlainTextResponse("<html>")).demands(ENDPOINT)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("RegistrationManagerInvalidOrOutdatedTermsOfServiceHash", RegistrationReason.TERMS_CHANGED),
        ("ProofOfWorkManagerInvalidChallengeNonce", RegistrationReason.CHALLENGE_EXPIRED),
        ("ProofOfWorkInsufficientSolutionNonce", RegistrationReason.MORE_WORK),
        ("ProofOfWorkManagerInvalidResponseNonceFormat", RegistrationReason.REFUSED),
        ("Unheard", RegistrationReason.REFUSED),
    ],
)
async def test_the_servers_words_come_with_the_reason(code: str, reason: RegistrationReason) -> None:
    client = client_of(registration=JSONResponse({"code": code, "message": f"{code}: why not"}, 400))
    with pytest.raises(RegistrationError) as error:
        await client.register(ENDPOINT, "did:example:alice", Demands())
    assert error.value.reason is reason
    assert str(error.value) == f"{ENDPOINT} does not register: {code}: why not"


async def test_a_refusal_without_a_code_is_one_too() -> None:
    with pytest.raises(RegistrationError, match="500, without a word") as error:
        await client_of(registration=Response(status_code=500)).register(ENDPOINT, "did:example:alice", Demands())
    assert error.value.reason is RegistrationReason.REFUSED


def test_the_text_that_the_work_covers_is_javascripts() -> None:
    assert registration_data("did:x:é", Terms("t", "00")) == '{"did":"did:x:é","termsOfServiceHash":"00"}'
    assert registration_data("did:x:1", None) == '{"did":"did:x:1"}'
