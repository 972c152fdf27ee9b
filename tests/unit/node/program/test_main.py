"""The program `web5-node` when it cannot start, and the files that start it."""

from __future__ import annotations

import asyncio
import gc
import re
import shlex
import socket
import tomllib
from pathlib import Path

import pytest

from web5.cpython.lock import sole_use
from web5.dwn.store.database import open_file
from web5.node.program.commands import COLLECTED_AFTER, spare_collections
from web5.node.program.main import main, parser
from web5.node.program.settings import NodeSettings
from web5_build.paths import ROOT

DEPLOY = ROOT / "deploy"
PAGES = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
SHOWN = [line for page in PAGES for line in re.findall(r"^    web5-node ([^#\n]+)", page.read_text(), re.MULTILINE)]


def failure(capsys: pytest.CaptureFixture[str], *flags: str, status: int = 1) -> str:
    assert main(["serve", *flags]) == status
    output = capsys.readouterr()
    assert output.out == ""
    [line] = output.err.splitlines()
    return line.removeprefix("web5-node: ")


def test_port_that_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = failure(capsys, "--port", str(port), "--data", str(tmp_path / "data"))
    assert re.search(rf":{port} \(Address already in use\).*--port", line)
    assert not (tmp_path / "data").exists()


def test_address_that_is_not_of_this_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--host" in failure(capsys, "--host", "192.0.2.1", "--port", "0", "--data", str(tmp_path / "data"))


def test_folder_that_is_in_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sole_use(tmp_path):
        line = failure(capsys, "--port", "0", "--data", str(tmp_path))
    assert line.startswith(f"The data in {tmp_path} cannot be opened: ")


def test_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert "Not a directory" in failure(capsys, "--port", "0", "--data", str(tmp_path / "file" / "data"))


async def test_data_of_a_newer_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = open_file(tmp_path / "dwn" / "dwn.sqlite")
    database.migrate("dwn", ["SELECT 1"] * 999)
    await database.close()
    # In a thread: it has an event loop of its own.
    line = await asyncio.to_thread(failure, capsys, "--port", "0", "--data", str(tmp_path))
    assert "A newer version of this program" in line


def test_site_and_terms_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--data", str(tmp_path / "data"), "--port", "0"]
    line = failure(capsys, *flags, "--paths", "/a", "--site", str(tmp_path / "site"), status=2)
    assert line.startswith("--site: ") and "build.py site" in line
    assert failure(capsys, *flags, "--terms", str(tmp_path / "terms"), status=2).startswith("--terms: ")
    (tmp_path / "terms").write_bytes(b"\xff")
    assert "utf-8" in failure(capsys, *flags, "--terms", str(tmp_path / "terms"), status=2)


def test_every_setting_but_secrets_has_a_flag_with_a_help() -> None:
    [commands] = [action for action in parser()._actions if action.dest == "command"]
    for command in commands.choices.values():
        flags = {action.dest: action.help for action in command._actions}
        assert set(NodeSettings.model_fields) - set(flags) == {"metrics_token", "admin_token"}
        assert all(flags.values())


@pytest.mark.parametrize("line", SHOWN)
def test_a_command_that_is_shown_is_understood(line: str) -> None:
    assert parser().parse_args(shlex.split(line)).command == line.split()[0]


def test_commands_are_shown() -> None:
    [commands] = [action for action in parser()._actions if action.dest == "command"]
    assert {line.split()[0] for line in SHOWN} == set(commands.choices)


def test_the_files_that_start_a_node_fit_it() -> None:
    container, unit = (DEPLOY / "Containerfile").read_text(), (DEPLOY / "web5-node.service").read_text()
    file, proxy = tomllib.loads((DEPLOY / "web5-node.toml").read_text()), (DEPLOY / "Caddyfile").read_text()
    settings = NodeSettings(**file)
    assert set(re.findall(r"WEB5_NODE_(\w+)=", container + unit)) <= set(map(str.upper, NodeSettings.model_fields))
    [start] = re.findall(r"^ExecStart=\S+/web5-node (.+)$", unit, re.MULTILINE)
    assert parser().parse_args(shlex.split(start)).config == Path("/etc/web5-node.toml")
    assert str(settings.data) == f"/var/lib/{re.findall(r'^StateDirectory=(.+)$', unit, re.MULTILINE)[0]}"
    port = NodeSettings.model_fields["port"].default
    assert f"EXPOSE {port}\n" in container and f"127.0.0.1:{port}/health" in container
    assert re.search(rf"reverse_proxy 127\.0\.0\.1:{port}\b", proxy)
    assert settings.public_url is not None and settings.public_url.removeprefix("https://") in proxy
    assert settings.shutdown_seconds < int(re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[0])


def test_what_a_process_begins_with_is_not_collected_again(request: pytest.FixtureRequest) -> None:
    before = gc.get_threshold()
    request.addfinalizer(lambda: (gc.unfreeze(), gc.set_threshold(*before)))
    spare_collections()
    assert gc.get_freeze_count() > 10_000 and gc.get_count()[2] == 0
    assert gc.get_threshold() == (COLLECTED_AFTER, *before[1:])
