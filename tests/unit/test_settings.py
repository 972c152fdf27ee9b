"""The settings of a site or machine."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from web5.settings import Settings


def test_nothing_is_set_by_itself() -> None:
    """A gateway that nobody chose may be dead, and learns of every DID that is asked for."""
    assert Settings().model_dump() == {"dwn_endpoints": [], "did_dht_gateways": []}


@pytest.mark.parametrize("config", [{"did_dht_gateways": [7]}, {"did_dht_gateways": "https://a"}])
def test_what_is_no_gateway_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(config)
