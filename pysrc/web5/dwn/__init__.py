"""The Decentralized Web Node: messages (pydantic), handlers, authorization, store and events."""

from __future__ import annotations

from web5.dwn.data import DataStream
from web5.dwn.engine import Delivery, Dwn, Stored, TenantGate
from web5.dwn.events import Applied, Event, Subscription

__all__ = ["Applied", "DataStream", "Delivery", "Dwn", "Event", "Stored", "Subscription", "TenantGate"]
