import asyncio
from hashlib import sha256

import pytest

from web5.crypto.proof_of_work import LARGEST, Challenge, bound_for, solve

ASKED = '{"did":"did:example:alice","termsOfServiceHash":"00"}'


def always(hashes: int) -> bool:
    return True


async def test_a_solution_is_what_the_reference_checks() -> None:
    challenge = Challenge("A" * 64, bound_for(5_000))
    nonce = await solve(challenge, ASKED, always)
    assert nonce is not None
    assert len(nonce) == 64 and set(nonce) <= set("0123456789ABCDEF")
    digest = sha256(("A" * 64 + nonce + ASKED).encode()).hexdigest()
    assert int(digest, 16) <= challenge.bound
    assert challenge.is_met(nonce, ASKED)
    assert not challenge.is_met(nonce, ASKED + " ")


async def test_the_easiest_challenge_is_met_by_the_first_try() -> None:
    assert await solve(Challenge("", LARGEST), "", lambda hashes: False) is not None


async def test_others_run_meanwhile_and_it_can_be_cancelled() -> None:
    told: list[int] = []
    going = asyncio.Event()

    def tried(hashes: int) -> bool:
        told.append(hashes)
        going.set()
        return True

    solving = asyncio.create_task(solve(Challenge("n", 0), ASKED, tried))
    await going.wait()
    solving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await solving
    assert told == sorted(told)


async def test_it_can_be_given_up() -> None:
    told: list[int] = []
    assert await solve(Challenge("n", 0), ASKED, lambda hashes: told.append(hashes) or len(told) < 3) is None
    assert len(told) == 3


@pytest.mark.parametrize("hashes", [1, 2, 3, 1000, 2**24])
def test_a_bound_takes_about_as_many_hashes_as_it_was_made_for(hashes: int) -> None:
    assert Challenge("", bound_for(hashes)).hashes == hashes


def test_the_default_of_the_reference_takes_16_million_hashes() -> None:
    assert Challenge("", int("000000" + "F" * 58, 16)).hashes == 2**24
