"""The web5 wheel: pure Python, typed, without its own build."""

from __future__ import annotations

import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from web5_build import project
from web5_build.paths import PYSRC


@pytest.fixture(scope="module")
def wheel(site: Path) -> zipfile.ZipFile:
    (path,) = (site / "simple" / "web5-py").glob("web5_py-*-py3-none-any.whl")
    return zipfile.ZipFile(path)


def test_it_is_pure_python_so_that_browsers_take_it(wheel: zipfile.ZipFile) -> None:
    assert wheel.filename is not None
    assert wheel.filename.endswith(f"web5_py-{project.version()}-py3-none-any.whl")


def test_it_has_every_module_of_web5_and_the_type_marker(wheel: zipfile.ZipFile) -> None:
    sources = {path.relative_to(PYSRC).as_posix() for path in (PYSRC / "web5").rglob("*.py")}
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert sources - names == set()
    assert names - sources == {
        "web5/py.typed",
        "web5/browser/javascript/secp256k1.mjs",
        "web5/ecma_regexp/properties.bin",
        *(f"web5/node/admin/page/{name}" for name in ("admin.css", "admin.mjs", "index.html", "plot.mjs")),
    }


def test_the_build_is_not_in_it(wheel: zipfile.ZipFile) -> None:
    assert [name for name in wheel.namelist() if "web5_build" in name] == []


def test_it_brings_the_programs(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt"))
    programs = "web5 = web5.cli.main:main\nweb5-node = web5.node.program.main:main\n"
    assert wheel.read(name).decode() == f"[console_scripts]\n{programs}"


def test_what_a_browser_needs_is_required_and_the_server_side_is_an_extra(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    requires = Parser().parsestr(wheel.read(name).decode()).get_all("Requires-Dist", [])
    unconditional = {Requirement(line).name for line in requires if ";" not in line}
    assert unconditional == {"pydantic", "cbor2", "apsw", "mnemonic", "idna"}
    extras = [f'extra == "{name}"' for name in ("node", "postgres", "mainline", "s3")]
    assert all(any(extra in line for extra in extras) for line in requires if ";" in line)
