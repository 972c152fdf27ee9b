"""Calls from the page to the agent in the worker."""

import json

from pyscript import workers


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


class Agent:
    """The worker named "agent"; a call waits until the worker is up."""

    def __init__(self):
        self._worker = None

    async def call(self, name, **arguments):
        """Call a method of the agent's service.

        Raises:
            AgentError: the agent failed, or the worker could not be started.
        """
        try:
            if self._worker is None:
                self._worker = await workers["agent"]
            answer = json.loads(await self._worker.ask(name, json.dumps(arguments)))
        except Exception as error:
            raise AgentError("Worker", "The page's node did not start", "", str(error)) from error
        if "error" in answer:
            error = answer["error"]
            raise AgentError(error["kind"], error["message"], error.get("code") or "", error.get("detail") or "")
        return answer["ok"]
