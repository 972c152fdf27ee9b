"""The remote nodes of the identity in use, and with them those of the agent, whose records must come back with it."""

from __future__ import annotations

from web5 import Web5
from web5.agent.agent import Agent
from web5.agent.publication.dwn_service import with_dwn_endpoints
from web5.errors import InvalidArgument
from web5.urls import normal_endpoint, same_endpoint


async def of(agent: Agent, did: str | None) -> list[str]:
    """Return the nodes that a DID of this agent names, its own included."""
    return list((await agent.keyring.portable_did(did or "")).document.dwn_endpoints)


async def add(web5: Web5, text: str) -> None:
    """Add a node; one that is there already is no error.

    Raises:
        InvalidArgument: that is no URL, or one that a document cannot name. Nothing is changed.
        IdentityError: the identity's document cannot be changed. Nothing is changed.
    """
    agent, url = web5.agent, normalized(text)
    lists = {did: urls for did in _both(web5) if url not in (urls := await of(agent, did))}
    for did, urls in lists.items():  # what one of the two cannot name, neither gets
        with_dwn_endpoints(await agent.keyring.portable_did(did), [*urls, url], agent.clock.now())
    for did, urls in lists.items():
        await agent.set_dwn_endpoints(did, [*urls, url])


async def remove(web5: Web5, url: str, *, force: bool) -> None:
    """Remove a node, which keeps what it has. The agent stays on it while another identity does.

    Parameters:
        force: also if it alone has something; else that is fetched first.

    Raises:
        NodeNeeded: it still has something, or cannot be asked. Nothing is changed.
        IdentityError: the identity's document cannot be changed. Nothing is changed.
    """
    url = same_endpoint(url)
    others = [identity.did for identity in web5.identities.list() if identity.did != web5.connected_did]
    shared = [url in await of(web5.agent, did) for did in others]
    leaving = _both(web5)[: 1 if any(shared) else 2]
    for did in () if force else leaving:
        await web5.agent.sync.fetch_the_rest(did, [url])
    for did in leaving:
        urls = await of(web5.agent, did)
        if url in urls:
            await web5.agent.set_dwn_endpoints(did, [one for one in urls if one != url], force=True)


def normalized(text: str) -> str:
    """Normalize a URL as a person types it: https:// may be missing.

    Raises:
        InvalidArgument: it is none.
    """
    url = text.strip()
    if "://" not in url:
        url = f"https://{url}"
    endpoint = None if any(char.isspace() or char in "?#" for char in url) else normal_endpoint(url)
    if endpoint is None:
        raise InvalidArgument("That is not the address of a node. It looks like https://dwn.example.org")
    return endpoint


def _both(web5: Web5) -> tuple[str, str]:
    return web5.connected_did, web5.vault.agent_did or ""
