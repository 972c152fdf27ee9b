"""The code that the first device shows, and the second reads or is given as a text.

It has no key of the agent in it: see `pairing`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.errors import CryptoError, InvalidArgument
from web5.urls import normal_endpoint

LONGEST = 4096
"""Characters of a text in which a code is looked for."""

KEY_BYTES, SECRET_BYTES = 32, 16

_VERSION = b"\x01"
_SHORTEST = 60
_CODE = re.compile(r"[A-Za-z0-9_-]+$")


@dataclass(frozen=True, slots=True, repr=False)
class DeviceCode:
    """A code.

    Parameters:
        relay: the URL of the relay, at which both devices leave what they say.
        public: the X25519 key of the first device, made for this code alone.
        secret: known to whoever sees the code, and not to the relay.
    """

    relay: str
    public: bytes
    secret: bytes

    def __str__(self) -> str:
        return b64url_encode(_VERSION + self.public + self.secret + self.relay.encode())

    @staticmethod
    def parse(text: str) -> DeviceCode:
        """Return the code in a text: it alone, or a link that ends with it.

        Raises:
            InvalidArgument: there is none.
        """
        found = _CODE.search(text.strip()) if len(text) <= LONGEST else None
        try:
            data = b64url_decode(found[0] if found and len(found[0]) >= _SHORTEST else "")
            version, public, secret = data[:1], data[1 : 1 + KEY_BYTES], data[1 + KEY_BYTES :][:SECRET_BYTES]
            relay = data[1 + KEY_BYTES + SECRET_BYTES :].decode("ascii")
        except (CryptoError, UnicodeDecodeError):
            version = public = secret = b""
            relay = ""
        if version == _VERSION and normal_endpoint(relay) == relay:
            return DeviceCode(relay, public, secret)
        raise InvalidArgument(
            "This is no code of another device. Read it from its screen once more, or copy all of its text."
        )
