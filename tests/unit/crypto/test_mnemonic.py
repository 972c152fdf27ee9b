"""Recovery phrases: their seeds, and what is said of phrases that are none."""

from __future__ import annotations

import pytest

from web5.cpython.crypto import CPythonCrypto
from web5.crypto import mnemonic
from web5.errors import RecoveryError

ABANDON = " ".join(["abandon"] * 11 + ["about"])
ZOO = " ".join(["zoo"] * 23 + ["vote"])
SEEDS = [
    # The specification's vectors all have a passphrase, which is not used here. `@scure/bip39` made these.
    (
        ABANDON,
        "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1"
        "9a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4",
    ),
    (
        ZOO,
        "e28a37058c7f5112ec9e16a3437cf363a2572d70b6ceb3b6965447623d620f14"
        "d06bb321a26b33ec15fcd84a3b5ddfd5520e230c924c87aaa0d559749e044fef",
    ),
]


@pytest.mark.parametrize(("phrase", "seed"), SEEDS)
async def test_the_seed_of_a_phrase(phrase: str, seed: str) -> None:
    assert (await mnemonic.seed(phrase, CPythonCrypto())).hex() == seed


def test_a_new_phrase_has_twelve_words_and_is_another_each_time() -> None:
    phrases = {mnemonic.generate() for _ in range(10)}
    assert len(phrases) == 10
    assert all(len(phrase.split(" ")) == 12 and mnemonic.normalized(phrase) == phrase for phrase in phrases)


@pytest.mark.parametrize("count", [12, 15, 18, 21, 24])
def test_a_phrase_may_have_12_to_24_words(count: int) -> None:
    # All bits zero; the last word carries the check sum (of 16, 20, 24, 28 or 32 bytes).
    last = {12: "about", 15: "address", 18: "agent", 21: "admit", 24: "art"}[count]
    assert len(mnemonic.normalized(" ".join(["abandon"] * (count - 1) + [last])).split()) == count


@pytest.mark.parametrize(
    "written", [ABANDON.upper(), f"  {ABANDON}\n", ABANDON.replace(" ", "\n\t "), ABANDON.replace(" ", "\u3000")]
)
async def test_case_and_spaces_do_not_matter(written: str) -> None:
    assert mnemonic.normalized(written) == ABANDON
    assert (await mnemonic.seed(written, CPythonCrypto())).hex() == SEEDS[0][1]


def test_a_word_that_is_not_in_the_list_is_named() -> None:
    with pytest.raises(RecoveryError, match="Word 3 of the recovery phrase, 'abandom'"):
        mnemonic.normalized(ABANDON.replace("abandon", "abandom").replace("abandom", "abandon", 2))


@pytest.mark.parametrize("phrase", ["", "abandon", " ".join(["abandon"] * 13), " ".join(["abandon"] * 27)])
def test_another_number_of_words_is_told(phrase: str) -> None:
    with pytest.raises(RecoveryError, match=f"this one has {len(phrase.split())}"):
        mnemonic.normalized(phrase)


@pytest.mark.parametrize("phrase", [" ".join(["abandon"] * 12), "about " + " ".join(["abandon"] * 11)])
def test_a_wrong_check_sum_is_told(phrase: str) -> None:
    with pytest.raises(RecoveryError, match="check sum"):
        mnemonic.normalized(phrase)
