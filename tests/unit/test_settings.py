"""The settings of a site or machine."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from web5.settings import DEFAULT_GATEWAY, Settings


@pytest.mark.parametrize(
    ("config", "gateways"),
    [
        ({}, [DEFAULT_GATEWAY]),
        ({"did_dht_gateways": []}, [DEFAULT_GATEWAY]),
        ({"did_dht_gateways": ["https://a", "https://b"]}, ["https://a", "https://b"]),
    ],
)
def test_gateways_default_to_the_reference_s(config: dict[str, Any], gateways: list[str]) -> None:
    assert Settings.model_validate(config).gateways == gateways


@pytest.mark.parametrize("config", [{"did_dht_gateways": [7]}, {"did_dht_gateways": "https://a"}])
def test_what_is_no_gateway_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(config)
