"""What lies on disks: everything that a page's origin has stored, and every file of a folder, as bytes."""

from __future__ import annotations

import base64
from pathlib import Path

from tests.contracts.chromium_harness import Evaluates

STORED = """async (beginning) => {
  const encoder = new TextEncoder();
  const parts = [];
  const put = async (value) => {
    if (typeof value === "string") parts.push(encoder.encode(value));
    else if (value instanceof ArrayBuffer) parts.push(new Uint8Array(value));
    else if (ArrayBuffer.isView(value)) parts.push(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    else if (value instanceof Blob) parts.push(new Uint8Array(await value.arrayBuffer()));
    else if (value instanceof CryptoKey) {
      if (value.extractable) throw new Error("a key that any script can read is stored");
    } else if (Array.isArray(value) || value instanceof Map || value instanceof Set) {
      for (const part of value) await put(part);
    } else if (value && typeof value === "object") {
      for (const entry of Object.entries(value)) await put(entry);
    }
  };
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  for (const { name } of await indexedDB.databases()) {
    if (!name.startsWith(beginning)) continue;
    const database = await done(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      const content = database.transaction(store).objectStore(store);
      const [keys, values] = await Promise.all([done(content.getAllKeys()), done(content.getAll())]);
      await put([name, store, keys, values]);
    }
    database.close();
  }
  for (const storage of [localStorage, sessionStorage]) await put({ ...storage });
  const url = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(new Blob(parts));
  });
  return url.slice(url.indexOf(",") + 1);
}"""


async def stored_by(page: Evaluates, beginning: str = "") -> bytes:
    """Every database, and what else the page's origin keeps; keys that scripts cannot read are left out.

    Parameters:
        beginning: only the databases whose names begin so.
    """
    return base64.b64decode(await page.evaluate(STORED, beginning))


def stored_in(folder: Path) -> bytes:
    """Every file below the folder."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
