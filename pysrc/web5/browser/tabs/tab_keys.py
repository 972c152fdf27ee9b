"""The keys by which tabs seal messages for one another, where every page of the origin listens.

A tab's public key is its name among the tabs. Two tabs agree on one key (X25519, HKDF), and AES-GCM authenticates with
each message who it is from, who it is for, and of what kind it is. Who has a name says nothing of who that is: see
`web5.browser.tabs.tabs`, invariant 5.
"""

from __future__ import annotations

import os
import re
from typing import Any

import js
from pyodide.ffi import JsException, to_js

from web5.browser.javascript.webcrypto import cipher, crypto_errors, gcm, import_key, js_object, py_bytes
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.kdf import hkdf
from web5.errors import CryptoError
from web5.lru import LruCache

NAME = re.compile(r"[A-Za-z0-9_-]{43}")
"""A public key of X25519 in base64url."""

_PEERS = 64
"""Keys agreed on that are kept."""

_TRIES = 8
"""WebKitGTK makes no key in one of 256 tries, where it would begin with a zero."""

_NONCE = 12  # bytes, NIST SP 800-38D section 8.2
_JS_X25519 = js_object(name="X25519")


class TabKey:
    """A tab's key pair, whose private part no script can read.

    Attributes:
        name: the public key.
    """

    def __init__(self, name: str, js_private: Any) -> None:
        self.name = name
        self._js_private = js_private
        self._js_agreed: LruCache[str, Any] = LruCache(_PEERS)

    @classmethod
    async def make(cls) -> TabKey:
        """Make a new one."""
        with crypto_errors("the key of this tab could not be made"):
            js_pair = await _js_pair()
            public = py_bytes(await js.crypto.subtle.exportKey("raw", js_pair.publicKey))
        return cls(b64url_encode(public), js_pair.privateKey)

    async def seal(self, kind: str, receiver: str, text: str) -> str:
        """Seal a text for another tab."""
        nonce = os.urandom(_NONCE)
        js_algorithm = gcm(nonce, _context(kind, self.name, receiver))
        sealed = await cipher("encrypt", js_algorithm, await self._agreed(receiver), text.encode(), "sealing failed")
        return b64url_encode(nonce + sealed)

    async def open(self, kind: str, sender: str, sealed: str) -> str:
        """Open what another tab has sealed for this one.

        Raises:
            CryptoError: it was not sealed by that tab, for this one, as this kind of message.
        """
        data = b64url_decode(sealed)
        js_algorithm = gcm(data[:_NONCE], _context(kind, sender, self.name))
        refused = "no tab of that name has sealed this"
        return (await cipher("decrypt", js_algorithm, await self._agreed(sender), data[_NONCE:], refused)).decode()

    async def _agreed(self, other: str) -> Any:
        js_key = self._js_agreed.get(other)
        if js_key is None:
            if not NAME.fullmatch(other):
                raise CryptoError("no name of a tab")
            with crypto_errors("no key can be agreed on with that tab"):
                js_public = await import_key("raw", to_js(b64url_decode(other)), _JS_X25519, [])
                js_agreement = js_object(name="X25519", public=js_public)
                shared = py_bytes(await js.crypto.subtle.deriveBits(js_agreement, self._js_private, 256))
                key = hkdf("sha256", shared, info=b"web5 tabs")
                js_key = await import_key("raw", to_js(key), "AES-GCM", ["encrypt", "decrypt"])
            self._js_agreed.put(other, js_key)
        return js_key


async def _js_pair() -> Any:
    """Return a new key pair. Raises JsException."""
    for tries_left in reversed(range(_TRIES)):
        try:
            return await js.crypto.subtle.generateKey(_JS_X25519, False, to_js(["deriveBits"]))
        except JsException:
            if not tries_left:
                raise


def _context(kind: str, sender: str, receiver: str) -> bytes:
    return f"{kind} {sender} {receiver}".encode()
