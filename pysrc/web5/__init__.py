"""A Decentralized Web Node, a sync agent and the Web5 API.

from web5 import Web5

web5, did = await Web5.connect()
record = await web5.dwn.records.create("Hello, Web5")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from web5.agent.delegation.connect.app import WalletConnect
    from web5.agent.delegation.delegation import ProtocolPermissions
    from web5.agent.delegation.request import DelegationRequest
    from web5.api.devices import JoinDevice
    from web5.api.records.encryption import Encryption
    from web5.api.records.ordering import DateSort
    from web5.api.records.record import Record
    from web5.api.records.records import Records
    from web5.api.typed.declaration import Protocol
    from web5.api.typed.records import TypedRecord, TypedRecords
    from web5.api.web5 import Connection, Web5
    from web5.dwn.reading.drl import Drl

__all__ = [
    "Connection",
    "DateSort",
    "DelegationRequest",
    "Drl",
    "Encryption",
    "JoinDevice",
    "Protocol",
    "ProtocolPermissions",
    "Record",
    "Records",
    "TypedRecord",
    "TypedRecords",
    "WalletConnect",
    "Web5",
]

_HOMES = {
    "Connection": "web5.api.web5",
    "DateSort": "web5.api.records.ordering",
    "DelegationRequest": "web5.agent.delegation.request",
    "Drl": "web5.dwn.reading.drl",
    "Encryption": "web5.api.records.encryption",
    "JoinDevice": "web5.api.devices",
    "Protocol": "web5.api.typed.declaration",
    "ProtocolPermissions": "web5.agent.delegation.delegation",
    "WalletConnect": "web5.agent.delegation.connect.app",
    "Record": "web5.api.records.record",
    "Records": "web5.api.records.records",
    "TypedRecord": "web5.api.typed.records",
    "TypedRecords": "web5.api.typed.records",
    "Web5": "web5.api.web5",
}


def __getattr__(name: str) -> Any:
    # Loaded when asked for, so that a node or a test that needs one layer does not pay for all of them.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'web5' has no attribute '{name}'")
