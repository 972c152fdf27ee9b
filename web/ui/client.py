"""Calls from the page to the agent in the worker; boot/link.mjs carries them."""

import json

from pyscript import window
from ui.kit.texts import t


class AgentError(Exception):
    """The agent answered with an error.

    Parameters:
        kind: the name of the Python exception's class.
        detail: what a developer wants to see; may be empty.
    """

    def __init__(self, kind, message, code="", detail=""):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.code = code
        self.detail = detail


def result_of(answer):
    """Return what an answer of the worker holds.

    Raises:
        AgentError: it is an error.
    """
    if "error" in answer:
        error = answer["error"]
        raise AgentError(error["kind"], error["message"], error.get("code") or "", error.get("detail") or "")
    return answer["ok"]


async def ask(name, arguments, *file):
    """Call a method of the agent's service, with a file that it takes if there is one.

    Raises:
        AgentError: the agent failed, or the worker could not be started.
    """
    try:
        answer = json.loads(await window.web5Link(name, json.dumps(arguments), *file))
    except Exception as error:
        raise AgentError("Worker", t("The page's node did not start"), "", str(error)) from error
    return result_of(answer)


class Agent:
    """The node in the worker; a call waits until it is up.

    Parameters:
        locked: called when it turns out that the vault is locked.
    """

    def __init__(self, locked):
        self._locked = locked

    async def call(self, name, **arguments):
        """Call a method of the agent's service. Raises as `ask`."""
        try:
            return await ask(name, arguments)
        except AgentError as error:
            if error.kind == "VaultLocked":
                self._locked()
            raise
