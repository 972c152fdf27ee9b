"""The modules of the standard library that a start does without: fetched when something imports one of them.

The build packs this into the part that a start has.
"""

import json
import sys
from pathlib import Path
from zipimport import zipimporter


class LateFinder:
    """Finds them, last of all finders; an archive is fetched at the first import from it."""

    def __init__(self, archives, fetch):
        """Take archives.

        Parameters:
            archives: each with its `url`, and the `names` of modules that are in it and whose package is not.
            fetch: gives what a URL has, as a JavaScript array of bytes, at once.
        """
        self._urls = {name: archive["url"] for archive in archives for name in archive["names"]}
        self._fetch = fetch
        self._files = {}

    def find_spec(self, name, path=None, target=None):
        url = self._urls.get(name)
        if url is None:
            return None
        package = name.rpartition(".")[0].replace(".", "/")
        file = self._files.get(url) or self._fetched(name, url)
        return zipimporter(f"{file}/{package}".rstrip("/")).find_spec(name)

    def _fetched(self, name, url):
        try:
            content = self._fetch(url).to_bytes()
        except Exception as error:
            reason = f"The module {name!r} of the standard library cannot be fetched now: {error}"
            raise ImportError(reason, name=name) from error
        file = Path("/lib") / url.rpartition("/")[2]
        file.write_bytes(content)
        self._files[url] = str(file)
        return str(file)


def install(archives, fetch):
    """Let Python find them.

    Parameters:
        archives: as for `LateFinder`, as JSON.
    """
    sys.meta_path.append(LateFinder(json.loads(archives), fetch))
