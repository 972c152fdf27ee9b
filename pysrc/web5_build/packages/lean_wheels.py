"""Wheels for Pyodide alone: compiled code in place of sources, without what no page needs, packed more tightly.

A page that installs them compiles nothing. They are tagged for Pyodide's platform, so that nobody else takes them.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from pathlib import Path

from web5_build.packages import bundles, wheels
from web5_build.stamp import Stamp, digest

TAG = ("cp314", "none", wheels.PYODIDE_PLATFORM)
TOGETHER = {"micropip": "micropip", "pydantic": "pydantic", "web5_py": "web5"}
"""Projects of many modules, and their packages: these modules are in one archive in the wheel, and Python imports them
from there. Compressed one by one, they would be larger by half."""
ARCHIVE = "code.zip"
FIRST = f"""\
from zipimport import zipimporter

_archive = zipimporter(f"{{__path__[0]}}/{ARCHIVE}")  # the modules are in there, this one, too
__path__ = [f"{{_archive.archive}}/{{__name__}}"]
exec(_archive.get_code(__name__))
"""

METADATA = ("METADATA", "licenses/", "LICENSE", "COPYING", "NOTICE")
"""The parts of a wheel's description that are kept; the rest is made anew."""
WORTH_IT = 20_000
"""Bytes from which a file is packed as tightly as can be, which takes longer to unpack."""


def make(originals: list[Path], compiled: bundles.Compiled, folder: Path) -> list[Path]:
    """Make such wheels of others, unless they are made.

    Parameters:
        compiled: the code of all of them.
    """
    stamp = Stamp(folder / ".stamp", digest(*originals, compiled.modules, Path(__file__)))
    if not stamp.holds():
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.whl"):
            old.unlink()
        for original in originals:
            _make(original, compiled, folder)
        stamp.set()
    return sorted(folder.glob("*.whl"))


def _make(original: Path, compiled: bundles.Compiled, folder: Path) -> None:
    modules = compiled.modules
    name, version, *tag = original.stem.split("-")
    binary = tag[-1] == wheels.PYODIDE_PLATFORM
    tag = tag if binary else list(TAG)
    about = f"{name}-{version}.dist-info"
    members: dict[str, bytes] = {}
    with zipfile.ZipFile(original) as opened:
        for path in opened.namelist():
            top, _, rest = path.partition("/")
            if top == about:
                if rest.startswith(METADATA):
                    members[path] = opened.read(path)
            elif path.endswith(".py"):
                code = (modules / path).with_suffix(".pyc")
                if code.exists():
                    members[code.relative_to(modules).as_posix()] = code.read_bytes()
            elif (modules / path).exists() or path in compiled.extensions:
                members[path] = opened.read(path)
    if name in TOGETHER:
        members = _together(members, TOGETHER[name])
    lines = ["Wheel-Version: 1.0", "Generator: web5_build", f"Root-Is-Purelib: {str(not binary).lower()}"]
    members[f"{about}/WHEEL"] = "\n".join([*lines, f"Tag: {'-'.join(tag)}", ""]).encode()
    record = f"{about}/RECORD"
    listed = [f"{path},{_hash(content)},{len(content)}" for path, content in sorted(members.items())]
    members[record] = "\n".join([*listed, f"{record},,", ""]).encode()
    with zipfile.ZipFile(folder / f"{'-'.join([name, version, *tag])}.whl", "w") as made:
        for path in sorted(members):
            made.writestr(zipfile.ZipInfo(path), members[path], _method(members[path]), 9)


def _together(members: dict[str, bytes], package: str) -> dict[str, bytes]:
    """Put the modules of a package, and what lies beside them, into one archive."""
    inside = {path: content for path, content in members.items() if path.startswith(f"{package}/")}
    packed = io.BytesIO()
    bundles.write_stored(packed, inside)
    rest = {path: content for path, content in members.items() if path not in inside}
    return {**rest, f"{package}/{ARCHIVE}": packed.getvalue(), f"{package}/__init__.py": FIRST.encode()}


def _method(content: bytes) -> int:
    # Python's own zipfile reads both, and so do micropip and pip.
    return zipfile.ZIP_LZMA if len(content) > WORTH_IT else zipfile.ZIP_DEFLATED


def _hash(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
