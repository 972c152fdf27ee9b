"""WebCrypto, and a module for secp256k1, which it lacks: crossing into JavaScript, and errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any

import js
from pyodide.ffi import JsException, to_js

from web5.browser.javascript.scripts import js_function
from web5.errors import CryptoError

# WebCrypto copies what it is given before the call returns, so it may look at Python's memory itself: large data is
# copied once on the way in and once on the way out.
_js_cipher = js_function(
    """
    (operation, algorithm, key, data) => {
      const view = data.getBuffer("u8");
      try {
        return crypto.subtle[operation](algorithm, key, view.data);
      } finally {
        view.release();
      }
    }
    """
)
_js_import = js_function("(url) => import(url)")
_js_secp256k1: Any = None


def js_object(**members: Any) -> Any:
    return to_js(members, dict_converter=js.Object.fromEntries)


def gcm(iv: bytes, additional_data: bytes = b"") -> Any:
    return js_object(name="AES-GCM", iv=to_js(iv), additionalData=to_js(additional_data))


@contextmanager
def crypto_errors(what_failed: str) -> Iterator[None]:
    """Raise each JsException as a CryptoError that begins with `what_failed`."""
    try:
        yield
    except JsException as error:
        raise CryptoError(f"{what_failed}: {error}") from error


async def import_key(form: str, js_key: Any, js_algorithm: Any, usages: list[str], *, extractable: bool = False) -> Any:
    return await js.crypto.subtle.importKey(form, js_key, js_algorithm, extractable, to_js(usages))


async def cipher(operation: str, js_algorithm: Any, js_key: Any, data: bytes, what_failed: str) -> bytes:
    with crypto_errors(what_failed):
        return py_bytes(await _js_cipher(operation, js_algorithm, js_key, data))


def py_bytes(js_buffer: Any) -> bytes:
    return bytes(js_buffer.to_bytes())


async def secp256k1() -> Any:
    """Return the JavaScript module of this package (web/boot/secp256k1.mjs), loading it at its first use.

    Raises:
        CryptoError: it could not be loaded.
    """
    global _js_secp256k1
    if _js_secp256k1 is None:
        code = resources.files(__package__).joinpath("secp256k1.mjs").read_text()
        js_url = js.URL.createObjectURL(js.Blob.new(to_js([code]), js_object(type="text/javascript")))
        with crypto_errors("the module for secp256k1 could not be loaded"):
            _js_secp256k1 = await _js_import(js_url)
        js.URL.revokeObjectURL(js_url)
    return _js_secp256k1
