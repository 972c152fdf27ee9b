"""Names of the JSON values that every layer handles."""

from typing import Any

Message = dict[str, Any]
"""A DWN message in the wire's shape: `descriptor`, `authorization` and what its kind has besides."""
