"""An address as a QR code."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from app.messages.address import LONGEST

from tests.unit.page.devices import Device


async def test_a_link_is_a_picture_and_what_does_not_fit_is_refused(device: Device) -> None:
    picture = await device.ask("address_code", link="https://notes.example.org/#/messages/did:dht:" + "y" * 52)
    assert picture.startswith("data:image/svg+xml")
    assert "<script" not in unquote(picture)
    for link in ("", "x" * (LONGEST + 1)):
        assert await device.ask("address_code", link=link) == "InvalidArgument"


@pytest.mark.parametrize("link", ["x" * LONGEST])
async def test_the_longest_link_fits(device: Device, link: str) -> None:
    assert (await device.ask("address_code", link=link)).startswith("data:")
