"""The commands of build.py: each is documented in --help and in the README, and reads its arguments."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from web5_build import commands
from web5_build.console import BuildError
from web5_build.paths import ROOT


def test_help_names_every_command_and_what_it_does() -> None:
    text = " ".join(commands.parser().format_help().split())
    for name, command in commands.COMMANDS.items():
        assert f"{name} {command.help}" in text


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_every_command_has_a_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.main([name, "--help"])
    assert ended.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    command = commands.COMMANDS[name]
    assert command.help in shown
    assert " ".join(command.others.split()) in shown


def test_the_readme_names_every_command_and_no_page_names_another() -> None:
    named = {path.name: set(re.findall(r"build\.py ([a-z]+)", path.read_text())) for path in ROOT.glob("*.md")}
    assert named["README.md"] == set(commands.COMMANDS)
    assert set().union(*named.values()) == set(commands.COMMANDS)


def test_every_suite_is_a_folder_and_every_folder_with_tests_is_a_suite() -> None:
    with_tests = {path.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").rglob("test_*.py")}
    assert {*with_tests, "checks"} == set(commands.SUITES)
    assert all(name in commands.COMMANDS["test"].others for name in commands.SUITES)


def test_ci_runs_the_test_command() -> None:
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "exec python3 build.py test"


def test_what_a_command_does_not_take_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        commands.main(["site", "--fast"])
    assert "unrecognized arguments: --fast" in capsys.readouterr().err
    assert commands.main(["test", "unti"]) == 1
    assert "there is no suite unti; there are bench, browser" in capsys.readouterr().err


class Became(Exception):
    """The program that would run in place of build.py."""


@pytest.fixture
def became(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    def become(arguments: list[str], env: object = None) -> None:
        raise Became(arguments)

    monkeypatch.setattr(commands, "_become", become)
    monkeypatch.setattr(commands, "_everything", dict)
    return monkeypatch


@pytest.mark.parametrize(
    ("arguments", "paths"),
    [
        (["unit"], ["tests/unit"]),
        (["browser", "-k", "live"], ["tests/browser", "-k", "live"]),
        (["tests/unit/vc", "-x"], ["tests/unit/vc", "-x"]),
        (["unit", "tests/browser/test_live.py::test_x"], ["tests/unit", "tests/browser/test_live.py::test_x"]),
    ],
)
def test_one_suite_or_paths_are_pytests_alone(
    became: pytest.MonkeyPatch, arguments: list[str], paths: list[str]
) -> None:
    with pytest.raises(Became) as ended:
        commands.main(["test", *arguments])
    assert ended.value.args == (["-m", "pytest", *paths],)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [([], set(commands.SUITES)), (["-k", "unit"], set(commands.SUITES)), (["unit", "browser"], {"unit", "browser"})],
)
def test_several_suites_run_in_lanes(became: pytest.MonkeyPatch, arguments: list[str], names: set[str]) -> None:
    seen: list[str] = []

    async def run(chosen: list[list[commands.Suite]], *, cwd: Path, env: dict[str, str]) -> int:
        seen.extend(suite.name for lane in chosen for suite in lane)
        return 3

    became.setattr(commands.lanes, "run", run)
    assert commands.main(["test", *arguments]) == 3
    assert set(seen) == names


def test_a_path_that_is_not_there_is_no_suite() -> None:
    with pytest.raises(BuildError):
        commands._leading(["tests/unit/nowhere.py"])
