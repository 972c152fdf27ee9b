"""`web5 status`: the identities of an agent, where they are, and what is not yet where it should be."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from web5.agent.agent import Agent
from web5.cli.terminal import count, size
from web5.dwn.store.whole import extent
from web5.sync.states import EndpointStatus


def state_of(agent: Agent, folder: Path, did: str | None = None) -> dict[str, Any]:
    """Return the state of an agent as JSON.

    Parameters:
        did: only this identity; None: all.
    """
    identities = [
        {
            "did": one.did,
            "name": one.name,
            "inUse": one.chosen,
            **({"actsFor": one.connected_did} if one.connected_did else {}),
            **_state(agent, one.did, one.connected_did or one.did),
        }
        for one in agent.identities.list()
        if did in (None, one.did)
    ]
    own = str(agent.vault.agent_did)
    return {
        "agent": {
            "did": own,
            "protection": agent.vault.protection,
            "keepsRecoveryPhrase": agent.vault.keeps_recovery_phrase,
            **_state(agent, own, own),
        },
        "identities": identities,
        "storage": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    }


def _state(agent: Agent, did: str, tenant: str) -> dict[str, Any]:
    store = agent.dwn.store
    messages, data = extent(store, store.tenant(tenant))
    statuses = agent.sync.status(tenant)
    publication = agent.publications.get(did)
    return {
        "published": publication.state if did.startswith("did:dht:") else None,
        **({"publicationError": publication.error} if publication.error else {}),
        "messages": messages,
        "largeData": data,
        "unsettled": sum(one.pending_out + one.pending_in for one in statuses),
        "undelivered": sum(one.undelivered for one in statuses.deliveries),
        "nodes": [_node(one) for one in statuses if one.endpoint],
    }


def _node(status: EndpointStatus) -> dict[str, Any]:
    return {
        "url": status.endpoint,
        "toSend": status.pending_out,
        "toFetch": status.pending_in,
        "refused": status.refused,
        "lastSuccess": None if status.last_success is None else _date(status.last_success),
        "error": None if status.last_error is None else status.last_error[1],
    }


def _date(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).isoformat(timespec="seconds")


def shown(state: dict[str, Any], *, as_json: bool) -> str:
    """Return the state as text."""
    if as_json:
        return json.dumps(state, indent=2, ensure_ascii=False)
    agent = state["agent"]
    guard = "a password" if agent["protection"] == "password" else "this device's key"
    lines = [f"Agent {agent['did']}", f"  its vault opens by {guard}"]
    if agent["keepsRecoveryPhrase"]:
        lines.append("  nobody has written its recovery phrase down yet")
    lines += _lines(agent)
    for one in state["identities"]:
        name = json.dumps(one["name"], ensure_ascii=False)
        lines += ["", f"{name}{' (in use)' if one['inUse'] else ''} {one['did']}"]
        if "actsFor" in one:
            lines.append(f"  acts for {one['actsFor']}")
        lines += _lines(one)
    if not state["identities"]:
        lines += ["", "No identities."]
    return "\n".join([*lines, "", f"Storage: {size(state['storage'])}"])


def _lines(one: dict[str, Any]) -> list[str]:
    lines = [f"  {count(one['messages'], 'message')}, {size(one['largeData'])} of large data"]
    if one["published"] is not None:
        error = f": {one['publicationError']}" if "publicationError" in one else ""
        words = {"published": "published", "incomplete": "published, not everywhere", "missing": "not published"}
        lines.append(f"  {words[one['published']]}{error}")
    for node in one["nodes"]:
        done = f"in sync at {node['lastSuccess']}" if node["lastSuccess"] else "never in sync"
        lines.append(f"  {node['url']}: {done}, {node['toSend']:,} to send, {node['toFetch']:,} to fetch")
        if node["error"]:
            lines.append(f"    {node['error']}")
    if not one["nodes"]:
        lines.append("  no node is known: what it has is on its devices alone")
    if one["undelivered"]:
        lines.append(f"  {count(one['undelivered'], 'message')} on the way to others")
    return lines
