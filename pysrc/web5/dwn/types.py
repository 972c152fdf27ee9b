"""Names of the JSON values that every layer handles."""

from __future__ import annotations

from typing import Any

Message = dict[str, Any]
"""A DWN message in the wire's shape: `descriptor`, `authorization` and what its kind has besides."""
