"""`web5 status`: the identities of an agent, where they are, and what is not yet where it should be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from web5.agent.agent import Agent
from web5.agent.delegation.actor import Actor
from web5.agent.publication.status import PublicationState
from web5.api.nodes.nodes import Node, NodesApi, NodeState
from web5.api.nodes.nodes import state_of as state_of_node
from web5.cli.terminal import count, size
from web5.dwn.store.whole import extent
from web5.sync.states import EndpointStatus


async def state_of(agent: Agent, folder: Path, did: str | None = None) -> dict[str, Any]:
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
            **await _state(agent, one.did, one.connected_did or one.did),
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
            **await _state(agent, own, own),
        },
        "identities": identities,
        "storage": _bytes_in(folder),
    }


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


async def _state(agent: Agent, did: str, tenant: str) -> dict[str, Any]:
    store = agent.dwn.store
    messages, data = extent(store, store.tenant(tenant))
    statuses, publication = agent.sync.status(tenant), agent.publication(did)
    without = publication.state is PublicationState.NO_GATEWAY
    reason = "name one by --gateway, to see whether it is published" if without else publication.reason
    return {
        "publication": {
            "state": publication.state,
            "before": publication.before,
            **({"reason": reason} if reason else {}),
        },
        "messages": messages,
        "largeData": data,
        "unsettled": sum(one.pending_out + one.pending_in for one in statuses),
        "undelivered": sum(one.undelivered for one in statuses.deliveries),
        "nodes": [_node(one.url, one.state, one.reason, one.status) for one in await _nodes(agent, did, tenant)],
    }


async def _nodes(agent: Agent, did: str, tenant: str) -> list[Node]:
    """Return the nodes in the document; of somebody for whom a delegate acts, those that sync knows, without asking."""
    if did == tenant:
        return await NodesApi(agent, Actor(did, agent.signer)).list()
    known = [one for one in agent.sync.status(tenant) if one.endpoint]
    return [Node(one.endpoint, *state_of_node(one), one, None) for one in known]


def _node(url: str, state: NodeState, reason: str | None, status: EndpointStatus | None) -> dict[str, Any]:
    last = None if status is None else status.last_success
    return {
        "url": url,
        "state": state,
        "reason": reason,
        "toSend": None if status is None else status.pending_out,
        "toFetch": None if status is None else status.pending_in,
        "lastSuccess": None if last is None else last.isoformat(timespec="seconds"),
    }


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
    publication = one["publication"]
    before = ", but was before" if publication["before"] and publication["state"] != "published" else ""
    reason = f" ({publication['reason']})" if "reason" in publication else ""
    lines.append(f"  publication: {publication['state']}{before}{reason}")
    for node in one["nodes"]:
        last = f"last in step at {node['lastSuccess']}" if node["lastSuccess"] else None
        lines.append(f"  {node['url']}: {', '.join(filter(None, (node['state'], node['reason'], last)))}")
    if not one["nodes"]:
        lines.append("  no node: what it has is on its devices alone")
    if one["unsettled"]:
        lines.append(f"  {count(one['unsettled'], 'message')} not yet where they should be, counted for each node")
    if one["undelivered"]:
        lines.append(f"  {count(one['undelivered'], 'message')} on the way to others")
    return lines
