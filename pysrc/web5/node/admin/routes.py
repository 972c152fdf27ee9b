"""The operator's page and what it asks for.

Invariants:
1. Without the token nothing is told or done; the page itself, which anybody may load, has nothing of the node in it.
   The token is compared in constant time, and an address that sends wrong ones has to wait.
2. It comes in a header that only the page's own script sets, and no other origin is let in: what a browser sends by
   itself does nothing.
3. What is loaded comes from here alone, and nothing that is shown can run or load anything.
4. What is asked for is checked before anything is done, and bounded: rows, words, numbers.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from web5 import strict_json
from web5.dids.uri import parse_did
from web5.dwn.engine import Dwn
from web5.errors import InvalidArgument, StorageError
from web5.node.admin.figures import Figures, whole
from web5.node.admin.troubles import Troubles
from web5.node.dwn.endpoint import read_body
from web5.node.limits import Guesses, address_of
from web5.node.metrics import Metrics
from web5.node.tenants.invitations import LONGEST_NOTE, MOST_DAYS, MOST_USES, Invitations
from web5.node.tenants.registry import Registry, Said
from web5.node.tenants.tenancy import TenantRules
from web5.node.tenants.use import Amount, largest
from web5.ports.clock import Clock

ROWS = 100
"""Tenants, and invitations, that are shown at a time."""

MOST_BODY = 16 * 1024
LONGEST_SEARCH = 200
MOST_QUOTA = 2**53 - 1
"""JavaScript's largest whole number."""

PAGE = Path(__file__).parent / "page"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
}
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}

Answer = Callable[[Request], Coroutine[Any, Any, Response]]
_PATTERN = str.maketrans({"%": "!%", "_": "!_", "!": "!!"})


@dataclass(frozen=True, slots=True)
class Desk:
    """One DWN, as its operator sees it."""

    dwn: Dwn
    registry: Registry
    invitations: Invitations
    rules: TenantRules


@contextmanager
def operator_site(desks: Mapping[str, Desk], token: str, metrics: Metrics, clock: Clock) -> Iterator[Starlette]:
    """Give the operator's page as an app, for the paths below `/admin`; figures are taken during the block.

    Parameters:
        desks: by the paths of the DWNs.
    """
    figures, troubles = Figures(metrics, [desk.dwn for desk in desks.values()], clock), Troubles()
    logger = logging.getLogger("web5")
    logger.addHandler(troubles)
    sampling = asyncio.create_task(figures.run())
    try:
        yield _Site(desks, token, figures, troubles, clock).app
    finally:
        sampling.cancel()
        logger.removeHandler(troubles)


class _Site:
    def __init__(
        self, desks: Mapping[str, Desk], token: str, figures: Figures, troubles: Troubles, clock: Clock
    ) -> None:
        self._desks, self._figures, self._troubles = desks, figures, troubles
        self._digest = sha256(token.encode()).digest()
        self._guesses = Guesses(clock.monotonic)
        files = {
            path.name: (path.read_bytes(), _TYPES[path.suffix]) for path in PAGE.iterdir() if path.suffix in _TYPES
        }

        def file(name: str) -> Answer:
            content, media_type = files[name]

            async def answer(request: Request) -> Response:
                return Response(content, headers={**HEADERS, "content-type": media_type})

            return answer

        self.app = Starlette(
            routes=[
                Route("/admin", _to_folder, methods=["GET"]),
                Route("/admin/", file("index.html"), methods=["GET"]),
                *(Route(f"/admin/{name}", file(name), methods=["GET"]) for name in files if name != "index.html"),
                Route("/admin/api/state", self._guarded(self._state), methods=["GET"]),
                Route("/admin/api/tenant", self._guarded(self._tenant), methods=["POST"]),
                Route("/admin/api/invite", self._guarded(self._invite), methods=["POST"]),
                Route("/admin/api/revoke", self._guarded(self._revoke), methods=["POST"]),
            ]
        )
        self.app.router.redirect_slashes = False

    def _guarded(self, act: Callable[[Request], Coroutine[Any, Any, dict[str, Any]]]) -> Answer:
        """Return what lets those through who have the token, and tells what went wrong."""

        async def answer(request: Request) -> Response:
            address = address_of(request.client)
            if seconds := self._guesses.wait(address):
                return _told(f"Too many wrong tokens. Try again in {seconds} s.", 429, {"retry-after": str(seconds)})
            given = request.headers.get("authorization", "")
            if not hmac.compare_digest(sha256(given.removeprefix("Bearer ").encode()).digest(), self._digest):
                if given:
                    self._guesses.wrong(address)
                return _told("This is not the token.", 401, {"www-authenticate": "Bearer"})
            try:
                return JSONResponse(await act(request), headers=HEADERS)
            except InvalidArgument as error:
                return _told(str(error), 400)
            except StorageError as error:
                return _told(f"The store failed: {error}", 500)

        return answer

    async def _state(self, request: Request) -> dict[str, Any]:
        at, desk = self._desk(request.query_params.get("at") or next(iter(self._desks)))
        search = request.query_params.get("search", "")
        if len(search) > LONGEST_SEARCH:
            raise InvalidArgument(f"a search has at most {LONGEST_SEARCH} characters")
        pattern = f"%{search.translate(_PATTERN)}%"
        database, connection = desk.dwn.database, desk.dwn.database.connection
        amounts = await database.read(lambda: largest(connection, pattern, ROWS))
        said = {did: await desk.registry.ask(did) for did in amounts}
        if len(amounts) < ROWS:
            said |= desk.registry.some(pattern, ROWS)
        everybody = dict.fromkeys([*amounts, *said])
        now = await whole(desk.dwn)
        trouble = database.health.trouble
        return {
            "paths": list(self._desks),
            "at": at,
            "admission": desk.rules.admission,
            "whole": asdict(now),
            "trouble": None if trouble is None else str(trouble),
            "tenants": [_row(did, desk, amounts.get(did, Amount()), said.get(did, Said())) for did in everybody][:ROWS],
            "invitations": [asdict(one) for one in desk.invitations.all(ROWS)],
            "figures": self._figures.listed(),
            "errors": self._troubles.listed(),
        }

    async def _tenant(self, request: Request) -> dict[str, Any]:
        asked = await _asked(request)
        _, desk = self._desk(asked.get("at"))
        did = asked.get("did")
        if not isinstance(did, str) or (parsed := parse_did(did)) is None or parsed.uri != did:
            raise InvalidArgument("there is no DID")
        said = await desk.registry.ask(did)
        match asked.get("action"):
            case "suspend" | "resume" as action:
                said = replace(said, suspended=action == "suspend")
            case "allow" | "disallow" as action:
                said = replace(said, admitted=action == "allow")
            case "quota":
                said = replace(said, bytes=_quota(asked, "bytes"), messages=_quota(asked, "messages"))
            case _:
                raise InvalidArgument("a tenant is suspended, resumed, allowed, disallowed, or given a quota")
        await desk.registry.say(did, said)
        return {}

    async def _invite(self, request: Request) -> dict[str, Any]:
        asked = await _asked(request)
        _, desk = self._desk(asked.get("at"))
        note = asked.get("note", "")
        if not isinstance(note, str) or len(note) > LONGEST_NOTE or not note.isprintable():
            raise InvalidArgument(f"a note has at most {LONGEST_NOTE} characters, in one line")
        uses, days = _whole(asked, "uses", 1, MOST_USES), _whole(asked, "days", 1, MOST_DAYS)
        code, _ = await desk.invitations.make(uses, days, note)
        return {"code": code}

    async def _revoke(self, request: Request) -> dict[str, Any]:
        asked = await _asked(request)
        _, desk = self._desk(asked.get("at"))
        if not await desk.invitations.revoke(str(asked.get("id"))):
            raise InvalidArgument("this invitation is gone already")
        return {}

    def _desk(self, at: Any) -> tuple[str, Desk]:
        if not isinstance(at, str) or at not in self._desks:
            raise InvalidArgument("there is no DWN at this path")
        return at, self._desks[at]


def _row(did: str, desk: Desk, amount: Amount, said: Said) -> dict[str, Any]:
    served = desk.rules.admission == "open" or said.admitted
    return {
        "did": did,
        "state": "suspended" if said.suspended else "served" if served else "not admitted",
        **asdict(amount),
        "quota": asdict(said.quota(desk.rules.quota)),
        "own": {"bytes": said.bytes, "messages": said.messages},
    }


async def _asked(request: Request) -> dict[str, Any]:
    body = await read_body(request, MOST_BODY)
    try:
        asked = None if body is None else strict_json.parse(body.decode())
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise InvalidArgument(f"a request is a JSON object of at most {MOST_BODY} bytes")
    return asked


def _quota(asked: dict[str, Any], name: str) -> int | None:
    """Return a quota; None: as all have it, 0: none."""
    return None if asked.get(name) is None else _whole(asked, name, 0, MOST_QUOTA)


def _whole(asked: dict[str, Any], name: str, least: int, most: int) -> int:
    number = asked.get(name)
    if type(number) is not int or not least <= number <= most:
        raise InvalidArgument(f"{name} is a whole number from {least} to {most:,}")
    return number


def _told(words: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"message": words}, status, {**HEADERS, **(headers or {})})


async def _to_folder(request: Request) -> Response:
    return Response(
        status_code=307, headers={**HEADERS, "location": "admin/"}
    )  # relative: nothing of the host is in it
