"""The modules of the node's worker, found where the build has put them, not looked for in one folder after another.

To look for four hundred modules takes a start about as long as to read them. The build packs this into the part of the
standard library that a start has. Only the node's own worker uses it: other pages may have modules of their own under
the same names.
"""

import sys
from importlib.machinery import ModuleSpec, PathFinder, SourcelessFileLoader


class PlacedFinder:
    """Finds them before folders are looked through; what it does not know is looked for there.

    Parameters:
        roots: the folders in which packages lie.
        files: the paths of all compiled modules there.
    """

    def __init__(self, roots, files):
        self._roots = roots
        self._files = files

    def find_spec(self, name, path=None, target=None):
        for root in self._roots:
            place = f"{root}/{name.replace('.', '/')}"
            if (file := f"{place}.pyc") in self._files:
                return _spec(name, file)
            if (file := f"{place}/__init__.pyc") in self._files:
                spec = _spec(name, file)
                spec.submodule_search_locations = [place]
                return spec
        return None


def _spec(name, file):
    spec = ModuleSpec(name, SourcelessFileLoader(name, file), origin=file)
    spec.has_location = True
    return spec


def install(roots, files):
    """Let Python find them.

    Parameters:
        roots: as for `PlacedFinder`, one a line.
        files: likewise.
    """
    at = sys.meta_path.index(PathFinder)
    sys.meta_path.insert(at, PlacedFinder(tuple(roots.splitlines()), frozenset(files.splitlines())))
