"""The texts that the person has sent, until the agent has them.

Invariants:
1. A text that the person sent is on the page until the agent has it: as a message that is being sent, after a reload
   too, or back in the field with what went wrong.
2. A message that is sent again, because an answer was lost, is one message: its key says so.
"""

import json

from ui.client import AgentError
from ui.kit.dom import keep, kept, spawn, window

_UNSENT = "web5-messages-unsent"


class Outbox:
    """What was written and is not with the agent yet.

    Parameters:
        sent: called with the DID when the agent has a message.
        refused: called with DID, text and error when it cannot be.
    """

    def __init__(self, agent, sent, refused):
        self._agent = agent
        self._sent = sent
        self._refused = refused
        self._working = False
        self._queue = [list(one) for one in json.loads(kept("sessionStorage", _UNSENT) or "[]")]

    def waiting(self, did):
        """Return what waits for somebody, as messages."""
        own = {"mine": True, "state": "sending", "why": "", "created": None, "from": None}
        own.update({"file": None, "invitation": None})
        return [dict(own, key=key, text=text) for to, text, key in self._queue if to == did]

    def add(self, did, text):
        """Put a message at the end."""
        self._queue.append([did, text, window.crypto.randomUUID()])
        self._keep()

    def start(self):
        """Send what an earlier visit, or a locked vault, has left."""
        if self._queue and not self._working:
            spawn(self.work())

    async def work(self):
        """Hand over what waits, one after the other."""
        if self._working:
            return
        self._working = True
        try:
            while self._queue:
                did, text, key = self._queue[0]
                try:
                    await self._agent.call("send_message", did=did, text=text, key=key)
                except AgentError as error:
                    if error.kind == "VaultLocked":
                        return  # it waits for whoever unlocks
                    self._queue.pop(0)
                    self._keep()
                    self._refused(did, text, error)
                    continue
                self._queue.pop(0)
                self._keep()
                await self._sent(did)
        finally:
            self._working = False

    def _keep(self):
        keep("sessionStorage", _UNSENT, json.dumps(self._queue) if self._queue else None)
