"""The identities of the agent, in the shape the page shows, and what the page does with them."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from web5 import Web5, strict_json
from web5.agent.identities import Identity
from web5.errors import IdentityError

MAX_IMPORT = 1_000_000
"""Characters of an exported identity; one with some keys has 3,000."""


async def listed(web5: Web5) -> list[dict[str, Any]]:
    """Return the person's own identities, the oldest first, without the spare ones.

    A browser that comes along, or comes back by its words, has made one by itself before. That has moved in with its
    keys, since somebody may know of it; it is on the list once there is something in it.
    """
    found, made = list[dict[str, Any]](), set[str]()
    for identity in _own(web5):
        did, name = identity.did, identity.name
        if identity.by_default:
            if name in made and did != web5.connected_did and await _is_empty(web5, did):
                continue
            made.add(name)
        found.append({"did": did, "name": name})
    return found


async def create(web5: Web5, name: str, known: Collection[str]) -> str:
    """Make an identity on the nodes that the agent itself is on, so that its words bring back both; return its DID.

    Parameters:
        known: the DIDs that were there when the person asked. One of this name that is not among them is what the same
            call has made already.
    """
    name = name.strip()
    if not name:
        raise IdentityError("An identity needs a name that can be read.")
    for identity in _own(web5):
        if identity.name == name and identity.did not in known and not identity.by_default:
            return identity.did
    return (await web5.identities.create(name)).did


async def delete(web5: Web5, did: str) -> None:
    """Delete one; one that is not here is no error.

    Raises:
        IdentityError: it is the last one.
    """
    here = {identity.did for identity in _own(web5)}
    if here == {did}:
        raise IdentityError("This is your only identity. Make or import another one first.")
    if did in here:
        await web5.identities.delete(did)


async def exported(web5: Web5) -> str:
    """Return the identity in use, with its private keys, as the text of a JSON file."""
    return json.dumps(await web5.identities.export(web5.connected_did), indent=2, ensure_ascii=False)


async def import_(web5: Web5, text: str) -> str:
    """Import an identity and return its DID; one that is here already is left as it is.

    Raises:
        IdentityError: it is none, or larger than any. Nothing is changed.
    """
    if len(text) > MAX_IMPORT:
        raise IdentityError("That is not an exported identity: it is far too long.")
    try:
        portable = strict_json.parse(text)
    except ValueError as error:
        raise IdentityError(
            "That is not an exported identity: it should be the whole JSON file, from { to }."
        ) from error
    here = {identity.did for identity in web5.identities.list()}
    portable_did = portable.get("portableDid") if isinstance(portable, dict) else None
    if isinstance(portable_did, dict) and portable_did.get("uri") in here:
        return str(portable_did["uri"])
    return (await web5.identities.import_(portable)).did


def _own(web5: Web5) -> list[Identity]:
    """Return all but those with which an app acts for somebody else."""
    return [identity for identity in web5.identities.list() if identity.connected_did is None]


async def _is_empty(web5: Web5, did: str) -> bool:
    """Return True if nothing was ever written to an identity that is here, and nobody else could."""
    return not await Web5(web5.agent, did).dwn.messages.query(limit=1)
