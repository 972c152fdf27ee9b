"""What has changed in a list since a page asked for it last, so that a page with many notes need not go through all."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

KEPT = 40
"""Lists that are known: of so many tabs, about. Who asks about another one gets all of it."""


class Lists:
    """The lists that pages have, by the tokens that they were given with them."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, str]] = {}

    def since(self, token: str, items: list[dict[str, Any]]) -> dict[str, Any]:
        """Return what makes the list of a token this one.

        Parameters:
            token: of the list that the page has; one that is not known stands for none.
            items: the list now, each with its `id`.

        Returns:
            `token` of this list; `whole`: True if the page is to forget what it had; `put`: the items that are new or
            others than before, in their order, each with the ID `after` which it stands, "" for the first; `gone`:
            the IDs of those that are not in it any more.
        """
        before = self._known.get(token)
        now: dict[str, str] = {}
        put = []
        after = ""
        for item in items:
            id = item["id"]
            now[id] = hashlib.sha256(json.dumps(item).encode()).hexdigest()[:16]
            if before is None or before.get(id) != now[id]:
                put.append({**item, "after": after})
            after = id
        gone = [] if before is None else [id for id in before if id not in now]
        return {"token": self._keep(now), "whole": before is None, "put": put, "gone": gone}

    def _keep(self, now: dict[str, str]) -> str:
        token = secrets.token_hex(8)
        self._known[token] = now
        while len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
        return token
