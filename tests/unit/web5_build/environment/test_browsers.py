"""Browsers that are not Chromium: a machine that has none of them, and may install none, is told how to get them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from web5_build.console import BuildError
from web5_build.environment import browsers


@pytest.fixture
def nothing_on_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(browsers, "LIBRARIES", (str(tmp_path / "lib" / "*"),))
    return tmp_path


def _program(path: Path, script: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(0o755)


def test_a_machine_without_them_is_told_what_to_install(nothing_on_path: Path) -> None:
    with pytest.raises(BuildError, match=r"firefox-esr is not on this machine.* firefox-esr webkit2gtk-driver xvfb"):
        browsers.ensure()


def test_a_driver_without_its_browser_is_not_enough(nothing_on_path: Path) -> None:
    for name in browsers.PACKAGES.values():
        _program(nothing_on_path / name)
    with pytest.raises(BuildError, match="MiniBrowser is not on this machine"):
        browsers.ensure()


def test_what_is_there_is_taken(nothing_on_path: Path) -> None:
    for name in browsers.PACKAGES.values():
        _program(nothing_on_path / name)
    _program(nothing_on_path / "lib" / "x86_64" / browsers.MINI_BROWSER)
    browsers.ensure()
    assert browsers.firefox() == nothing_on_path / "firefox-esr"
    driver, program, screen = browsers.webkit()
    assert (driver.name, program.name, screen.name) == ("WebKitWebDriver", "MiniBrowser", "Xvfb")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may install")
def test_only_what_is_missing_is_installed(nothing_on_path: Path) -> None:
    _program(nothing_on_path / "firefox-esr")
    _program(nothing_on_path / "lib" / "x86_64" / browsers.MINI_BROWSER)
    asked = nothing_on_path / "asked"
    made = [nothing_on_path / name for name in ("WebKitWebDriver", "Xvfb")]
    script = "\n".join(f'[ "$1" = install ] && printf "" > {path} && /bin/chmod 755 {path}' for path in made)
    _program(nothing_on_path / "apt-get", f'echo "$@" >> {asked}\n{script}\nexit 0\n')
    browsers.ensure()
    update, install = asked.read_text().splitlines()
    assert update == "update"
    assert install.endswith("--no-install-recommends webkit2gtk-driver xvfb")
