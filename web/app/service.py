"""The calls of the page to the agent, and the answers with their errors."""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import ConfigDict, ValidationError, validate_call

from app import identities, pairing, state
from app.change_notifier import Steps
from app.changes import Lists
from app.data.data_calls import OWN, DataCalls
from app.data.data_calls import SHARED as DATA_SHARED
from app.device_calls import OWN as DEVICE_OWN
from app.device_calls import SHARED as DEVICE_SHARED
from app.device_calls import DeviceCalls
from app.messages.message_calls import OWN as MESSAGE_OWN
from app.messages.message_calls import SHARED as MESSAGE_SHARED
from app.messages.message_calls import MessageCalls
from app.notes.file_calls import OWN as FILE_OWN
from app.notes.file_calls import SHARED as FILE_SHARED
from app.notes.file_calls import FileCalls
from app.notes.note_calls import SHARED as NOTE_SHARED
from app.notes.note_calls import NoteCalls
from app.session import Session
from web5 import Web5, strict_json
from web5.errors import DwnError, InvalidArgument, NotPaired, Web5Error, first_error

SHARED = (
    DATA_SHARED
    | DEVICE_SHARED
    | FILE_SHARED
    | MESSAGE_SHARED
    | NOTE_SHARED
    | frozenset(
        {
            "check_store",
            "choose_identity",
            "compare",
            "create_identity",
            "identities",
            "last_hour",
            "lock",
            "registration",
            "rename_identity",
            "retry",
            "revive",
            "set_sync",
            "state",
            "sync_now",
            "unsettled",
        }
    )
)
"""The calls that one tab may make through another, and with that any page of the origin while the vault is unlocked."""

METHODS = (
    SHARED
    | OWN
    | DEVICE_OWN
    | FILE_OWN
    | MESSAGE_OWN
    | {
        "accept_terms",
        "accept_work",
        "use_invitation",
        "add_node",
        "change_password",
        "delete_identity",
        "export_identity",
        "forget_words",
        "import_identity",
        "move_node",
        "recover",
        "remove_node",
        "unlock",
        "words",
    }
)
"""The names a page may call; nothing else of the service is reachable.

What is not shared has to do with passwords, keys or words, says where data go, or agrees to something in the person's
name: the tab in which the person does it is the node, and none of it goes from tab to tab.

Each may be carried out twice, in case the tab that was asked goes away before it has answered. All but `state`,
`set_sync`, `unlock`, `recover` and `revive` need the vault unlocked, and raise VaultLocked while it is not.
"""

_ESCAPED = re.compile(r"\\(?:(u0000)|.)")

log = logging.getLogger(__name__)


class Service(DataCalls, FileCalls, NoteCalls, MessageCalls, DeviceCalls):
    """Acts for the identity in use.

    Parameters:
        session: the agent, and who is in use.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._lists = Lists()
        self._threads = Lists()
        self._checked: dict[str, Callable[..., Awaitable[Any]]] = {}

    async def call(self, name: str, arguments: Any) -> Any:
        """Call a method by its name, if the arguments are those that it takes.

        Raises:
            InvalidArgument: these are not its arguments.
            Web5Error: there is no such method.
        """
        if name not in METHODS:
            raise Web5Error(f"There is no method {name[:50]!r}.")
        if not isinstance(arguments, dict):
            raise InvalidArgument("Arguments are a JSON object.")
        if name not in self._checked:
            self._checked[name] = validate_call(config=ConfigDict(strict=True))(getattr(self, name))
        try:
            return await self._checked[name](**arguments)
        except ValidationError as error:
            raise InvalidArgument(first_error(error)) from error
        except UnicodeEncodeError as error:
            raise InvalidArgument("A text has half a surrogate pair in it.") from error

    @property
    def web5(self) -> Web5:
        return self._session.web5

    # -- nodes

    async def state(self) -> dict[str, Any]:
        """Return the state of vault and storage and, if unlocked, of the identity in use and its remote nodes."""
        around: dict[str, Any] = {}
        if self._session.is_open:
            web5 = self.web5
            around = {
                "devices": await pairing.listed(web5),
                "identities": await identities.listed(web5),
                **state.state_of(web5),
            }
        return {"vault": self._session.vault(), "storage": self._session.storage(), **around}

    async def add_node(self, url: str) -> None:
        """Add a remote node."""
        await self.web5.nodes.add(url)

    async def remove_node(self, url: str, force: bool = False) -> None:
        """Remove a remote node; with `force` also if it alone has something that cannot be fetched now."""
        await self.web5.nodes.remove(url, force=force)

    async def move_node(self, source: str, target: str) -> list[dict[str, Any]]:
        """Go from one remote node to another; return how the two compared before the old one was left."""
        try:
            found = await self.web5.nodes.move(source, target, on_progress=self._session.tell_move)
        finally:
            self._session.tell_move("", 0, 0)
        agent_did = self.web5.vault.agent_did
        return [state.difference_of(one, own=one.tenant == agent_did) for one in found]

    async def last_hour(self) -> dict[str, Any]:
        """Return what flowed in the last hour, minute by minute."""
        return self._session.hour.told()

    async def unsettled(self, cursor: str | None = None) -> dict[str, Any]:
        """Return a page of the messages that are not where they should be, and the cursor of the next."""
        return state.unsettled_of(self.web5, cursor)

    async def sync_now(self) -> dict[str, Any]:
        """Sync once; return what it brought, and the state after it."""
        report = await self.web5.sync.now()
        return {"ok": report.ok, "pulled": report.pulled, "pushed": report.pushed, "state": await self.state()}

    async def set_sync(self, interval: str) -> None:
        """Sync live, by an interval, or only when asked; from `unlock` on, if the vault is locked."""
        await self._session.set_interval(interval)

    async def retry(self, endpoint: str) -> None:
        """Try now what a node has refused, or what has to wait."""
        await self.web5.sync.retry(endpoint=endpoint)

    async def registration(self, endpoint: str) -> dict[str, Any]:
        """Return what a node asks of those who want to register with it."""
        return state.demands_of(await self.web5.sync.registration(endpoint))

    async def accept_terms(self, endpoint: str, terms_hash: str) -> None:
        """Agree to a node's terms of service, as they were shown."""
        await self.web5.sync.accept_terms(endpoint, terms_hash)

    async def accept_work(self, endpoint: str, hashes: int) -> None:
        """Let this device do a long proof of work for a node."""
        await self.web5.sync.accept_work(endpoint, hashes)

    async def use_invitation(self, endpoint: str, code: str) -> None:
        """Register with a node by the code of an invitation."""
        await self.web5.sync.use_invitation(endpoint, code)

    async def compare(self) -> list[dict[str, Any]]:
        """Compare what this node and each remote one really hold; differences are mended at once."""
        found = await self.web5.sync.check()
        if any(difference.unexplained for difference in found):
            await self.web5.sync.now()
        agent_did = self.web5.vault.agent_did
        return [state.difference_of(one, own=one.tenant == agent_did) for one in found]

    async def revive(self) -> None:
        """Connect anew, since the device was asleep, the page frozen, or the network is another."""
        if self._session.is_open:
            await self.web5.agent.sync.revive()

    # -- identities

    async def identities(self) -> list[dict[str, Any]]:
        """Return the identities on this agent."""
        return await identities.listed(self.web5)

    async def create_identity(self, called: str, known: list[str]) -> str:
        """Make another identity and return its DID; `known` are the DIDs that the person saw."""
        return await identities.create(self.web5, called, known)

    async def rename_identity(self, did: str, called: str) -> None:
        """Give an identity another name."""
        await self.web5.identities.rename(did, called)

    async def delete_identity(self, did: str) -> None:
        """Delete an identity everywhere; one that is not here is no error."""
        await identities.delete(self.web5, did)

    async def export_identity(self, password: str | None = None) -> str:
        """Return the identity in use, with its private keys, as the text of a JSON file."""
        await self._session.prove(password)
        return await identities.exported(self.web5)

    async def import_identity(self, text: str) -> str:
        """Import an identity and return its DID; one that is here already is left as it is."""
        return await identities.import_(self.web5, text)

    async def choose_identity(self, did: str) -> None:
        """Use another identity of this agent."""
        await self._session.choose(did)

    # -- the vault

    async def lock(self) -> None:
        """Lock the vault, in all tabs."""
        await self._session.lock()

    async def unlock(self, password: str) -> None:
        """Unlock the vault, in all tabs."""
        await self._session.unlock(password)

    async def change_password(self, old: str | None, new: str | None) -> None:
        """Change the password of the vault; None stands for this browser's own key."""
        await self._session.change_password(old, new)

    async def words(self, password: str | None = None) -> list[str]:
        """Return the words that bring the agent back; none once they are said to be written down."""
        await self._session.prove(password)
        return (await self.web5.vault.recovery_phrase() or "").split()

    async def forget_words(self) -> None:
        """Forget the words, since they are written down."""
        await self._session.forget_words()

    async def recover(self, words: str, password: str | None) -> Steps:
        """Bring back the agent that has these words, and return how far that has come."""
        return await self._session.recover(words, password)

    # -- the store

    async def check_store(self) -> list[str]:
        """Return what SQLite finds wrong with the store; nothing if it is whole."""
        database = self.web5.agent.dwn.database
        rows = database.connection.execute("PRAGMA integrity_check")
        return [row[0] for row in rows if row[0] != "ok"]


async def answer(service: Service, name: str, arguments: str) -> str:
    """Call a method by name, with JSON in and out: `{"ok": …}` or `{"error": {kind, message, code, detail}}`."""
    try:
        return to_json({"ok": await service.call(name, strict_json.parse(arguments))})
    except Exception as error:
        return refusal(error)


def refusal(error: Exception) -> str:
    """Return the answer that carries an error to the page."""
    if not isinstance(error, Web5Error):
        log.error("unexpected", exc_info=error)
    described = {
        "kind": type(error).__name__,
        "message": error.message if isinstance(error, DwnError) else str(error),
        "code": str(error.reason if isinstance(error, NotPaired) else getattr(error, "code", "") or ""),
        "detail": "" if isinstance(error, Web5Error) else "".join(traceback.format_exception(error)),
    }
    return to_json({"error": described})


def to_json(value: Any) -> str:
    """Encode as JSON for MicroPython, which breaks what is escaped as a surrogate pair, and cuts texts off at a NUL."""
    return _ESCAPED.sub(lambda found: "\ufffd" if found[1] else found[0], json.dumps(value, ensure_ascii=False))
