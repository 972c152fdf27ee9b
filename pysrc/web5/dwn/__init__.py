"""The Decentralized Web Node: messages and their handlers, protocols, permissions, encryption, store and events.

May import `ports`, `crypto` and `dids`. Checks raise `DwnError` with the reference's code, in the order of its checks.
"""

from web5.dwn.data import DataStream
from web5.dwn.engine import CheckedWrites, Delivery, Dwn, Stored, TenantGate
from web5.dwn.events import Applied, Event, Subscription

__all__ = ["Applied", "CheckedWrites", "DataStream", "Delivery", "Dwn", "Event", "Stored", "Subscription", "TenantGate"]
