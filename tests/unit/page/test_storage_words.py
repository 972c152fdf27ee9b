"""What the page says of the browser's storage, which needs no page."""

from __future__ import annotations

import pytest
from ui import problems
from ui.screens.settings import storage_words as words

from web5.dwn.store.durable.health import Ill


def _state(trouble: str | None, losses: int = 0) -> dict[str, object]:
    return {"trouble": trouble, "detail": "", "losses": losses}


@pytest.mark.parametrize("kind", Ill)
def test_every_trouble_has_words_with_something_to_do(kind: Ill) -> None:
    tone, title, advice = words.trouble(_state(kind.value))
    assert tone in ("bad", "warn")
    assert title.startswith("This browser")
    assert any(todo in advice for todo in ("Delete", "save your keys and notes"))
    assert words.offers_files(_state(kind.value)) is (kind != Ill.FULL)


def test_what_was_lost_and_is_stored_again_is_told() -> None:
    _, title, _ = words.trouble(_state(None, 1))
    assert "everything is stored again" in title
    assert words.trouble(_state(None)) is None
    assert not words.offers_files(_state(None))


def test_how_many_notes_are_not_saved() -> None:
    assert words.not_saved(1) == "1 note is not saved."
    assert words.not_saved(1000) == "1,000 notes are not saved."


def test_a_full_browser_is_said_once() -> None:
    """Whether the store says so or the call that failed: the banners take each other's place."""
    assert problems.problem("StorageFull", "no room")[0] == words.trouble(_state("full"))[1]


@pytest.mark.parametrize(
    ("persisted", "used", "tone", "said"),
    [
        (True, 3_210_000, "good", "keeps what is stored until you delete it. All that is stored here takes 3.2 MB."),
        (False, 17_000, "warn", "may delete what is stored here when it needs room; your nodes keep theirs. All"),
        (None, None, "warn", "may delete what is stored here when it needs room; your nodes keep theirs."),
        (True, 2_500_000_000, "good", "takes 2.5 GB."),
    ],
)
def test_how_long_the_browser_keeps_it(persisted: bool | None, used: int | None, tone: str, said: str) -> None:
    found, text = words.kept(persisted, used)
    assert found == tone
    assert said in text


@pytest.mark.parametrize("kind", ["StorageFull", "StorageBlocked", "StorageLost", "StorageError", "InsecurePage"])
def test_errors_of_the_storage_have_words(kind: str) -> None:
    title, advice = problems.problem(kind, "")
    assert title != "Something went wrong"
    assert advice
