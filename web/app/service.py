"""What the page may ask of the agent, and how errors get back to it."""

from __future__ import annotations

import json
import logging
import traceback
from contextlib import suppress
from typing import Any

from app import notes, state
from web5 import Web5
from web5.errors import DwnError, IdentityError, NotFound, Web5Error

METHODS = frozenset(
    {
        "accept_terms",
        "accept_work",
        "check_store",
        "choose_identity",
        "compare",
        "create_note",
        "delete_note",
        "export_identity",
        "identities",
        "import_identity",
        "notes",
        "read_note",
        "registration",
        "retry",
        "revive",
        "set_sync",
        "state",
        "sync_now",
        "unsettled",
        "update_note",
    }
)
"""The names a page may call; nothing else of the service is reachable.

Each may be carried out twice, in case the tab that was asked goes away before it has answered.
"""

log = logging.getLogger(__name__)


class Service:
    """Acts for the identity in use.

    Parameters:
        web5: the API for it.
    """

    def __init__(self, web5: Web5) -> None:
        self.web5 = web5

    # -- notes

    async def notes(self, limit: int) -> dict[str, Any]:
        """The newest notes, and whether there are more."""
        return await notes.newest(self.web5, limit)

    async def create_note(self, text: str, created: int) -> notes.Note:
        """Write a note; `created` (microseconds since 1970) tells a new note from a call that is repeated."""
        return await notes.create(self.web5, text, created)

    async def read_note(self, id: str) -> str:
        """A note's whole text."""
        return await notes.read(self.web5, id)

    async def update_note(self, id: str, text: str) -> notes.Note:
        """Replace a note's text."""
        return await notes.update(self.web5, id, text)

    async def delete_note(self, id: str) -> None:
        """Delete a note; one that is not here is no error."""
        with suppress(NotFound):
            await notes.delete(self.web5, id)

    # -- nodes

    async def state(self) -> dict[str, Any]:
        """The identity and how its remote nodes stand."""
        return state.state_of(self.web5)

    async def unsettled(self) -> list[dict[str, Any]]:
        """Every message that is not where it should be."""
        return state.unsettled_of(self.web5)

    async def sync_now(self) -> dict[str, Any]:
        """Run one round of sync; what it brought, and the state after it."""
        report = await self.web5.sync.now()
        return {"ok": report.ok, "pulled": report.pulled, "pushed": report.pushed, "state": await self.state()}

    async def set_sync(self, interval: str) -> None:
        """Sync live, by an interval, or only when asked; nothing changes if it does so already."""
        if interval != self.web5.sync.interval:
            await self.web5.sync.start(interval)

    async def retry(self, endpoint: str) -> None:
        """Try now what a node has refused, or what has to wait."""
        await self.web5.sync.retry(endpoint=endpoint)

    async def registration(self, endpoint: str) -> dict[str, Any]:
        """What a node asks of those who want to register with it."""
        return state.demands_of(await self.web5.sync.registration(endpoint))

    async def accept_terms(self, endpoint: str, terms_hash: str) -> None:
        """Agree to a node's terms of service, as they were shown."""
        await self.web5.sync.accept_terms(endpoint, terms_hash)

    async def accept_work(self, endpoint: str, hashes: int) -> None:
        """Let this device do a long proof of work for a node."""
        await self.web5.sync.accept_work(endpoint, hashes)

    async def compare(self) -> list[dict[str, Any]]:
        """What this node and each remote one really hold; differences are mended at once."""
        found = await self.web5.sync.check()
        if any(difference.unexplained for difference in found):
            await self.web5.sync.now()
        return [state.difference_of(difference) for difference in found]

    async def revive(self) -> None:
        """The device was asleep, the page frozen, or the network is another: connect anew."""
        await self.web5.agent.sync.revive()

    # -- identities

    async def identities(self) -> list[dict[str, Any]]:
        """The identities on this agent."""
        return [{"did": identity.did, "name": identity.name} for identity in self.web5.identities.list()]

    async def export_identity(self) -> str:
        """The identity in use, with its private keys, as the text of a JSON file."""
        return json.dumps(await self.web5.identities.export(self.web5.connected_did), indent=2, ensure_ascii=False)

    async def import_identity(self, text: str) -> str:
        """Take an exported identity; its DID. One that is here already is left as it is."""
        try:
            portable = json.loads(text)
        except ValueError as error:
            raise IdentityError(
                "That is not an exported identity: it should be the whole JSON file, from { to }."
            ) from error
        here = {identity.did for identity in self.web5.identities.list()}
        portable_did = portable.get("portableDid") if isinstance(portable, dict) else None
        if isinstance(portable_did, dict) and portable_did.get("uri") in here:
            return str(portable_did["uri"])
        return (await self.web5.identities.import_(portable)).did

    async def choose_identity(self, did: str) -> None:
        """Use another identity of this agent."""
        self.web5 = await self.web5.use(did)

    # -- the store

    async def check_store(self) -> list[str]:
        """What SQLite finds wrong with the store; empty if it is whole."""
        database = self.web5.agent.dwn.database
        rows = database.connection.execute("PRAGMA integrity_check")
        return [row[0] for row in rows if row[0] != "ok"]


async def answer(service: Service, name: str, arguments: str) -> str:
    """Call a method by name, with JSON in and out: `{"ok": …}` or `{"error": {kind, message, code, detail}}`."""
    try:
        if name not in METHODS:
            raise Web5Error(f"There is no method {name!r}.")
        return to_json({"ok": await getattr(service, name)(**json.loads(arguments))})
    except Exception as error:
        return refusal(error)


def refusal(error: Exception) -> str:
    """The answer that carries an error to the page."""
    if not isinstance(error, Web5Error):
        log.error("unexpected", exc_info=error)
    described = {
        "kind": type(error).__name__,
        "message": error.message if isinstance(error, DwnError) else str(error),
        "code": str(getattr(error, "code", "") or ""),
        "detail": "" if isinstance(error, Web5Error) else "".join(traceback.format_exception(error)),
    }
    return to_json({"error": described})


def to_json(value: Any) -> str:
    """JSON for the page: MicroPython's parser breaks characters that are escaped as surrogate pairs."""
    return json.dumps(value, ensure_ascii=False)
