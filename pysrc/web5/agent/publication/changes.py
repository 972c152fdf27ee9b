"""Changes of the DWN endpoints of a DID: several devices may make some while they do not hear of each other.

Each URL is a fact of its own, with its own version, and so is the order of all of them. So what two devices add both
stays, a removal is a removal, and who reorders brings nothing back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ORDER = ""
"""The place of a URL in the change of the order."""


@dataclass(frozen=True, slots=True)
class Change:
    """One fact about the endpoints of a DID.

    Parameters:
        url: in normal form; or `ORDER`.
        value: True if it is one of them, False if it is none; or all of them in the order in which they are asked.
        version: of two changes of one URL the higher one counts. It is above those of the published document and of the
            changes that were known when it was made, and no time: whoever knew more is right, whatever clocks say.
    """

    url: str
    value: bool | list[str]
    version: int

    @property
    def rank(self) -> tuple[int, str]:
        """The higher one counts, everywhere, also of two that were made without knowing of each other."""
        return self.version, repr(self.value)


def applied(urls: Iterable[str], changes: Iterable[Change]) -> list[str]:
    """Return the endpoints with changes made to them; what an order does not name comes last."""
    result = list(urls)
    ordered = sorted(changes, key=lambda change: (change.url == ORDER, change.version, change.url))
    for change in ordered:
        if isinstance(change.value, list):
            named = [url for url in change.value if url in result]
            result = named + [url for url in result if url not in named]
        elif change.value and change.url not in result:
            result.append(change.url)
        elif not change.value and change.url in result:
            result.remove(change.url)
    return result


def changes_between(before: Sequence[str], after: Sequence[str], version: int) -> list[Change]:
    """Return the changes that make one list of endpoints of another."""
    changes = [Change(url, False, version) for url in before if url not in after]
    changes += [Change(url, True, version) for url in after if url not in before]
    if applied(before, changes) != list(after):
        changes.append(Change(ORDER, list(after), version))
    return changes
