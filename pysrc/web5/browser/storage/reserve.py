"""Room that is kept so that things can be deleted where there is no more: a browser wants some for that, too.

It is a file in the origin's private file system. Its room is free as soon as it is gone, and it has the size that it
says; of what IndexedDB holds, Chromium removes large values seconds later, and it stores zeros compressed.
"""

from __future__ import annotations

from pyodide.ffi import JsException

from web5.browser.javascript.js_errors import STORAGE, translated
from web5.browser.javascript.promises import JS_PLAIN_ERROR
from web5.browser.javascript.scripts import js_functions

RESERVE_BYTES = 16 << 20
"""Chromium's log of IndexedDB takes some 8 MiB more than it allows for."""

_js_keep, _js_give_up = js_functions(
    f"const plain = {JS_PLAIN_ERROR};"
    """
    () => {
      const refuse = (error) => { throw plain(error); };

      const keep = async (name, size) => {
        const folder = await navigator.storage.getDirectory();
        const file = await folder.getFileHandle(name, { create: true });
        if ((await file.getFile()).size === size) return;
        const writable = await file.createWritable();
        try {
          // Not zeros, for which some file systems keep no room.
          const block = new Uint8Array(1 << 20);
          for (let at = 0; at < block.length; at += 1 << 16) crypto.getRandomValues(block.subarray(at, at + (1 << 16)));
          for (let at = 0; at < size; at += block.length) await writable.write(block);
          await writable.close();
        } catch (error) {
          await writable.abort().catch(() => {});  // what is written so far takes room
          throw error;
        }
      };

      const giveUp = async (name) => {
        const folder = await navigator.storage.getDirectory();
        await folder.removeEntry("web5-snapshots", { recursive: true }).catch(() => {}); // web/boot/snapshot.mjs
        try {
          await folder.removeEntry(name);
          return true;
        } catch (error) {
          if (error.name === "NotFoundError") return false;
          throw error;
        }
      };

      return {
        keep: (...args) => keep(...args).catch(refuse),
        giveUp: (...args) => giveUp(...args).catch(refuse),
      };
    }
    """,
    "keep",
    "giveUp",
)


class Reserve:
    """The room that a node keeps.

    Parameters:
        db_name: the node's name on this origin.
    """

    def __init__(self, db_name: str) -> None:
        self._name = "".join(one if one.isalnum() else f"%{ord(one):x}" for one in f"{db_name}.reserve")

    async def keep(self) -> None:
        """Make it, unless it is there.

        Raises:
            StorageFull: there is no room.
            StorageError: the browser has no such files here.
        """
        try:
            await _js_keep(self._name, RESERVE_BYTES)
        except JsException as error:
            raise translated(STORAGE, error, "keeping room") from error

    async def give_up(self) -> bool:
        """Make its room free, and return True; False if there is none."""
        try:
            return bool(await _js_give_up(self._name))
        except JsException:  # the browser has no such files here
            return False
