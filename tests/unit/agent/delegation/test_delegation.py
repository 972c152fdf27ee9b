"""Whatever is in a delegation's JSON: it is one, or it is refused as none."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from web5.agent.delegation.delegation import Delegation
from web5.cpython.crypto import CPythonCrypto
from web5.crypto.jose.jws import MessageSigner
from web5.dids import jwk
from web5.dids.keys import signer_for
from web5.dids.models import PortableDid
from web5.dwn.permissions.compose import permission_grant
from web5.errors import DelegationError
from web5.ports.clock import SystemClock

SCOPE = {"interface": "Records", "method": "Write", "protocol": "https://example.org/notes"}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something may be put in place of something else."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for name, item in inner for deeper in paths(item, (*path, name)))]


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    value[path[0]] = replaced(value[path[0]], path[1:], by)
    return value


async def made() -> dict[str, Any]:
    """A delegation of an owner with a `did:jwk`."""
    crypto, clock = CPythonCrypto(), SystemClock()
    owner: PortableDid = await jwk.create(crypto)
    delegate = await jwk.create(crypto)
    signer: MessageSigner = await signer_for(owner, crypto)
    grants = [
        await permission_grant(
            signer,
            clock,
            granted_to=delegate.uri,
            date_expires="2040-01-01T00:00:00.000000Z",
            scope=SCOPE,
            delegated=True,
        )
        for _ in range(2)
    ]
    delegation = Delegation(owner.uri, delegate.uri, tuple(grants), delegate)
    return json.loads(json.dumps(delegation.to_json()))


async def test_a_delegation_survives_being_written_and_read() -> None:
    value = await made()
    assert Delegation.from_json(value).to_json() == value
    del value["delegateDid"]
    assert Delegation.from_json(value).delegate_did == value["delegatePortableDid"]["uri"]


async def test_anything_in_the_place_of_anything_is_read_or_refused() -> None:
    value = await made()
    places = paths(value)

    @settings(deadline=None)
    @given(st.sampled_from(places), JSON)
    def spoilt(path: tuple[Any, ...], by: Any) -> None:
        with suppress(DelegationError):
            Delegation.from_json(replaced(copy.deepcopy(value), path, by))

    spoilt()
