"""The Decentralized Web Node: messages (pydantic), handlers, authorization, store and events."""

from __future__ import annotations

from .applied import Applied
from .data import DataStream
from .engine import Delivery, Dwn, Stored, TenantGate
from .events import Event, Subscription

__all__ = ["Applied", "DataStream", "Delivery", "Dwn", "Event", "Stored", "Subscription", "TenantGate"]
