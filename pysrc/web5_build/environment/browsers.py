"""Firefox and WebKitGTK for the tests of browsers that are not Chromium."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from web5_build.console import BuildError, step
from web5_build.process import run

FIREFOX = "firefox-esr"
WEBKIT_DRIVER = "WebKitWebDriver"
SCREEN = "Xvfb"
MINI_BROWSER = "webkit2gtk-4.1/MiniBrowser"
"""Beside the libraries, and not on PATH."""
LIBRARIES = ("/usr/lib/*", "/usr/libexec")
PACKAGES = {"firefox-esr": FIREFOX, "webkit2gtk-driver": WEBKIT_DRIVER, "xvfb": SCREEN}
"""Debian's packages, and the program that each is wanted for."""


def ensure() -> None:
    """Install what is not on this machine yet (as root, with apt).

    Raises:
        BuildError: something is missing and cannot be installed; the message says what.
    """
    missing = [package for package, program in PACKAGES.items() if shutil.which(program) is None]
    if missing and shutil.which("apt-get") and os.geteuid() == 0:
        with step(f"{', '.join(missing)} from Debian's packages") as current:
            quiet = {"DEBIAN_FRONTEND": "noninteractive"}
            run(current, ["apt-get", "update"], env=quiet)
            run(current, ["apt-get", "install", "-y", "--no-install-recommends", *missing], env=quiet)
    firefox()
    webkit()


def firefox() -> Path:
    """Return the program of Firefox. Raises BuildError where there is none."""
    return _program(FIREFOX)


def webkit() -> tuple[Path, Path, Path]:
    """Return WebKitGTK's driver, its browser, and the screen that it is shown on. Raises BuildError."""
    driver, screen = _program(WEBKIT_DRIVER), _program(SCREEN)
    found = [path for folder in LIBRARIES for path in Path("/").glob(f"{folder[1:]}/{MINI_BROWSER}")]
    if not found:
        raise BuildError(f"{MINI_BROWSER} is not on this machine. {_advice()}")
    return driver, found[0], screen


def _program(name: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise BuildError(f"{name} is not on this machine. {_advice()}")
    return Path(found)


def _advice() -> str:
    return f"On Debian: apt-get install {' '.join(PACKAGES)}"
