"""JavaScript modules bundled into one file each."""

from __future__ import annotations

from pathlib import Path

from web5_build.console import Step, step
from web5_build.environment import node_env
from web5_build.paths import PYSRC, WEB, WORK
from web5_build.process import run
from web5_build.stamp import Stamp, digest

ESBUILD = WEB / "node_modules" / "esbuild" / "bin" / "esbuild"
OPTIONS = ("--bundle", "--format=esm", "--platform=browser", "--target=es2022", "--minify", "--log-level=warning")

SECP256K1 = PYSRC / "web5" / "browser" / "javascript" / "secp256k1.mjs"
"""It travels in the wheel, so that a page which has nothing but the wheel can make every kind of key."""


def bundle(current: Step, source: Path, target: Path, *options: str) -> None:
    """Bundle a module of web/boot with what it imports."""
    current.at(f"bundling {source.name}")
    run(current, [node_env.node().program, ESBUILD, source, *OPTIONS, *options, f"--outfile={target}"], cwd=WEB)


def secp256k1() -> None:
    """Bring the wheel's secp256k1 module up to date."""
    source = WEB / "boot" / SECP256K1.name
    stamp = Stamp(WORK / "secp256k1.stamp", digest(source, WEB / "package-lock.json", *OPTIONS))
    if not stamp.holds(SECP256K1):
        with step("secp256k1 for the wheel, from noble-curves") as current:
            bundle(current, source, SECP256K1)
            stamp.set()
