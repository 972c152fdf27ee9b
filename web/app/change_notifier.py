"""Notifies the pages of this origin of changes, some ten times a second."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from web5.agent.agent import Agent
from web5.sync import SyncEvent

MOST_FLOWS = 20
"""Endpoints, and directions, of which a post says how far they are."""

INTERVAL = 0.1
"""Seconds from a change to the post about it; other changes in between go out with it."""

AT_ONCE = 0.01
"""As `INTERVAL`, for what somebody waits for, unless the last such post was just now."""

WAITED_FOR = "messages"


Steps = dict[str, dict[str, int]]
"""The progress of a recovery: "done" and "total" by the name of the step."""


class ChangeNotifier:
    """Collects changes and posts them.

    Parameters:
        post: sends a JSON text to every page.
        mark: notes in the browser's performance timeline that something is done.

    Attributes:
        on_notes: called at once when notes have changed.
    """

    def __init__(self, post: Callable[[str], None], mark: Callable[[str], object] = lambda name: None) -> None:
        self._post = post
        self._mark = mark
        self._changed: set[str] = set()
        self._progress: dict[tuple[str, str, str | None], tuple[int, int]] = {}
        self._files: dict[str, tuple[int, int]] = {}
        self._news: list[dict[str, Any]] = []
        self._recovery: Steps = {}
        self._move: Steps = {}
        self._timer: asyncio.Handle | None = None
        self._due = self._hurried = 0.0
        self.on_notes: list[Callable[[], None]] = []

    def watch(self, agent: Agent) -> None:
        """Post what happens in this agent from now on."""
        agent.dwn.database.health.on_changed.append(lambda: self.changed("state"))
        agent.on_change.append(lambda tenant, message_cid: self.changed("notes", "state"))
        agent.records.on_change.append(self._agent_record)
        agent.sync.listeners.append(lambda event: self._sync_event(event, own=event.tenant == agent.vault.agent_did))

    def boot(self, step: str, done: int, total: int) -> None:
        """Post at once how far the start has come."""
        self._mark(f"web5-{step}-{done}")
        self._post(json.dumps({"type": "boot", "step": step, "done": done, "total": total}))

    def leading(self) -> None:
        """Post at once that this tab is the node now; it does not sync before a page has said how."""
        self._post(json.dumps({"type": "leading"}))

    def recovery(self, steps: Steps) -> None:
        """Post soon how far a recovery has come; an empty `steps` ends that."""
        self._recovery = steps
        self.changed("state")

    def move(self, step: str, done: int, total: int) -> None:
        """Post soon how far a move from one node to another has come; no step ends that."""
        self._move = {**self._move, step: {"done": done, "total": total}} if step else {}
        self.changed()

    def file(self, key: str, done: int, total: int) -> None:
        """Post soon how much of a file that is being added is stored."""
        self._files[key] = (done, total)
        self.changed()

    def changed(self, *what: str) -> None:
        """Post soon that these changed: "messages", "notes" or "state"."""
        self._changed.update(what)
        if "notes" in what:
            for changed in self.on_notes:
                changed()
        loop = asyncio.get_running_loop()
        now = loop.time()
        due = max(self._hurried + INTERVAL, now + AT_ONCE) if WAITED_FOR in what else now + INTERVAL
        if self._timer is None or due < self._due:
            if self._timer is not None:
                self._timer.cancel()
            self._due, self._timer = due, loop.call_later(due - now, self._post_changes)

    async def _agent_record(self, kind: str, id: str) -> None:
        self.changed("state")  # an identity, for example, that another device has made

    def _sync_event(self, event: SyncEvent, *, own: bool) -> None:
        if not own:  # the agent's own records are no notes, and its nodes are those of its identities
            self._gather(event)
        self.changed("state")

    def _gather(self, event: SyncEvent) -> None:
        if event.kind == "progress":
            if event.total:
                self._progress[event.tenant, event.endpoint, event.direction] = (event.done, event.total)
        elif event.kind == "endpoint":
            # A visit began or has ended. Which notes still wait may have changed, without any note having changed.
            for direction in ("push", "pull"):
                self._progress.pop((event.tenant, event.endpoint, direction), None)
            self.changed("notes")
        elif event.kind in ("mended", "delivered", "undelivered", "withdrawn"):
            self.changed("notes")
        elif event.kind in ("removed", "refilled", "added"):
            self._news.append({"kind": event.kind, "endpoint": event.endpoint, "total": event.total})

    def _post_changes(self) -> None:
        self._timer = None
        event: dict[str, Any] = {"type": "changed", "what": sorted(self._changed)}
        if self._progress:
            done, total = map(sum, zip(*self._progress.values(), strict=True))
            event["progress"] = {"done": done, "total": total}
            event["flows"] = [
                {"endpoint": endpoint, "direction": direction, "done": done, "total": total}
                for (_, endpoint, direction), (done, total) in list(self._progress.items())[:MOST_FLOWS]
            ]
        if self._recovery:
            event["recovery"] = self._recovery
        if self._move:
            event["move"] = self._move
        if self._files:
            event["files"] = [{"key": key, "done": done, "total": total} for key, (done, total) in self._files.items()]
            self._files.clear()
        if self._news:
            event["news"], self._news = self._news, []
        if WAITED_FOR in self._changed:
            self._hurried = asyncio.get_running_loop().time()
        self._changed.clear()
        self._post(json.dumps(event))
