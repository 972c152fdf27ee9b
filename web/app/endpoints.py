"""The remote nodes of the identity in use, and with them those of the agent, whose records must come back with it."""

from __future__ import annotations

from urllib.parse import urlsplit

from web5 import Web5
from web5.agent.agent import Agent
from web5.errors import InvalidArgument


async def of(agent: Agent, did: str | None) -> list[str]:
    """Return the nodes that a DID of this agent names, its own included."""
    return list((await agent.keyring.portable_did(did or "")).document.dwn_endpoints)


async def add(web5: Web5, text: str) -> None:
    """Add a node; one that is there already is no error.

    Raises:
        InvalidArgument: that is no URL. Nothing is changed.
        IdentityError: the identity's document cannot be changed. Nothing is changed.
    """
    url = normalized(text)
    for did in _both(web5):
        urls = await of(web5.agent, did)
        if url not in urls:
            await web5.agent.set_dwn_endpoints(did, [*urls, url])


async def remove(web5: Web5, url: str) -> None:
    """Remove a node, which keeps what it has. The agent stays on it while another identity does.

    Raises:
        IdentityError: the identity's document cannot be changed. Nothing is changed.
    """
    others = [identity.did for identity in web5.identities.list() if identity.did != web5.connected_did]
    shared = [url in await of(web5.agent, did) for did in others]
    for did in _both(web5)[: 1 if any(shared) else 2]:
        urls = await of(web5.agent, did)
        if url in urls:
            await web5.agent.set_dwn_endpoints(did, [one for one in urls if one != url])


def normalized(text: str) -> str:
    """Normalize a URL as a person types it: https:// may be missing, and a slash at the end is one too many.

    Raises:
        InvalidArgument: it is none.
    """
    url = text.strip()
    if "://" not in url:
        url = f"https://{url}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(char.isspace() for char in url) or parts.query or parts.fragment:
        raise InvalidArgument("That is not the address of a node. It looks like https://dwn.example.org")
    return url.rstrip("/")


def _both(web5: Web5) -> tuple[str, str]:
    return web5.connected_did, web5.vault.agent_did or ""
