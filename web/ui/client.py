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


def agent_error(error):
    """Return what an answer's error is."""
    return AgentError(error["kind"], error["message"], error.get("code") or "", error.get("detail") or "")


class Agent:
    """The node in the worker; a call waits until it is up.

    Parameters:
        locked: called when it turns out that the vault is locked.
    """

    def __init__(self, locked):
        self._locked = locked

    async def call(self, name, **arguments):
        """Call a method of the agent's service.

        Raises:
            AgentError: the agent failed, or the worker could not be started.
        """
        try:
            answer = json.loads(await window.web5Link(name, json.dumps(arguments)))
        except Exception as error:
            raise AgentError("Worker", t("The page's node did not start"), "", str(error)) from error
        if "error" in answer:
            error = answer["error"]
            if error["kind"] == "VaultLocked":
                self._locked()
            raise agent_error(error)
        return answer["ok"]
