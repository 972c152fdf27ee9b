"""The Decentralized Web Node: messages (pydantic), handlers, authorization, store and events."""

from __future__ import annotations

from .data import DataStream
from .engine import Dwn, Stored, TenantGate
from .services import Applied

__all__ = ["Applied", "DataStream", "Dwn", "Stored", "TenantGate"]
