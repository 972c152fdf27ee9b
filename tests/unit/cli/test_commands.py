"""The program `web5`: what it does, says and returns."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import zipfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from web5 import Web5
from web5.cli.main import main
from web5.cpython.lock import sole_use

GATEWAY = "http://127.0.0.1:9/"
PASSWORD = "eight or more"
ARCHIVE = {"WEB5_ARCHIVE_PASSWORD": PASSWORD}


Run = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the program; gives its exit status, and what it printed."""

    async def run(*arguments: object, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
        with monkeypatch.context() as patched:
            for name, value in (env or {}).items():
                patched.setenv(name, value)
            code = await asyncio.to_thread(main, [str(one) for one in arguments])
        return code, *capsys.readouterr()

    return run


async def make(folder: Path, notes: int = 3, password: str | None = None) -> str:
    """An agent with an identity and some records; its DID."""
    connection = await Web5.connect(
        data_path=folder, did_dht_gateways=[GATEWAY], dwn_endpoints=[], sync="off", password=password
    )
    async with connection as web5:
        for number in range(notes):
            await web5.dwn.records.create(f"note {number}", schema="https://example.org/note")
        return web5.connected_did


async def test_an_identity_moves_from_one_folder_to_another(run: Run, tmp_path: Path) -> None:
    did, file = await make(tmp_path / "old"), tmp_path / "me.zip"
    at = ("--gateway", GATEWAY, "--data")
    code, out, error = await run("export", *at, tmp_path / "old", file, env=ARCHIVE)
    assert (code, out, error) == (0, f"{file} has 3 messages and 0 bytes of large data.\n", "")
    code, out, error = await run("export", *at, tmp_path / "old", file, env=ARCHIVE)
    assert (code, out) == (1, "") and "is there already" in error

    code, out, error = await run("import", *at, tmp_path / "new", file)
    assert (code, out) == (1, "") and "WEB5_ARCHIVE_PASSWORD" in error
    code, out, error = await run("import", *at, tmp_path / "new", file, env={"WEB5_ARCHIVE_PASSWORD": "not this one"})
    assert (code, out, error) == (1, "", "web5: The archive does not open with this password.\n")
    code, out, error = await run("import", *at, tmp_path / "new", file, env=ARCHIVE)
    assert (code, error) == (0, "")
    assert f"{did}: 3 of 3 messages taken, 0 were here.\n" in out
    code, out, error = await run("import", *at, tmp_path / "new", file)
    assert (code, out) == (0, f"{did}: 0 of 3 messages taken, 3 were here.\n")

    code, out, error = await run("status", *at, tmp_path / "new", "--json")
    state = json.loads(out)
    assert code == 0
    assert [(one["did"], one["inUse"], one["messages"]) for one in state["identities"]] == [(did, True, 3)]
    assert state["storage"] > 0
    code, out, error = await run("status", *at, tmp_path / "new")
    assert code == 0 and did in out and "no node: what it has" in out


async def test_an_empty_folder_gets_an_agent_whose_words_are_printed(run: Run, tmp_path: Path) -> None:
    await make(tmp_path / "old")
    at = ("--gateway", GATEWAY, "--data")
    await run("export", *at, tmp_path / "old", tmp_path / "me.zip", "--keys", "plain")
    code, out, _ = await run("import", *at, tmp_path / "new", tmp_path / "me.zip")
    assert code == 0
    assert re.search(r"^  (\w+ ){11}\w+$", out, re.MULTILINE)


async def test_a_vault_with_a_password_wants_it(run: Run, tmp_path: Path) -> None:
    await make(tmp_path / "old", password=PASSWORD)
    at = ("--gateway", GATEWAY, "--data", tmp_path / "old")
    code, _, error = await run("status", *at)
    assert code == 1 and "WEB5_PASSWORD" in error
    code, _, error = await run("status", *at, env={"WEB5_PASSWORD": "not this one"})
    assert code == 1 and error.startswith("web5: The vault does not open")
    code, out, _ = await run("status", *at, env={"WEB5_PASSWORD": PASSWORD})
    assert code == 0 and "a password" in out


async def test_status_has_the_nodes_and_what_is_pending(run: Run, tmp_path: Path) -> None:
    node, folder = "http://127.0.0.1:9/dwn", tmp_path / "old"
    connection = await Web5.connect(data_path=folder, did_dht_gateways=[GATEWAY], dwn_endpoints=[node], sync="off")
    async with connection as web5:
        await web5.dwn.records.create("note", schema="https://example.org/note")
        await web5.sync.now()
    code, out, _ = await run("status", "--data", folder, "--json")
    [one] = json.loads(out)["identities"]
    assert code == 0
    assert (one["did"], one["unsettled"], one["publication"]["state"]) == (web5.connected_did, 1, "no gateway")
    assert [(there["url"], there["state"], there["toSend"]) for there in one["nodes"]] == [(node, "pending", 1)]
    code, out, _ = await run("status", "--data", folder, "--gateway", GATEWAY)
    assert f"  {node}: pending, 1 to bring there, 0 to fetch\n" in out
    assert "  publication: pending" in out


async def test_what_is_not_taken_is_said_and_is_a_status_of_its_own(run: Run, tmp_path: Path) -> None:
    await make(tmp_path / "old")
    at, file = ("--gateway", GATEWAY, "--data"), tmp_path / "me.zip"
    await run("export", *at, tmp_path / "old", file, "--keys", "plain")
    with zipfile.ZipFile(file) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    part = next(name for name in files if name.startswith("messages/"))
    files[part] += b"{}\n"
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    code, _, error = await run("import", *at, tmp_path / "new", file)
    assert code == 1 and error.startswith(f"web5: {part}: ") and error.count("\n") == 1
    code, out, _ = await run("import", *at, tmp_path / "new", file, "--skip-damaged")
    assert code == 3 and f"broken: {part}" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("status",), "no agent in"),
        (("export", "me.zip"), "no agent in"),
        (("import", "nothing.zip"), "cannot be read"),
        (("import", __file__), "no archive"),
    ],
)
async def test_what_is_wrong_is_said_in_one_line(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    code, out, error = await run(*arguments, "--data", tmp_path / "nowhere")
    assert (code, out) == (1, "")
    assert re.fullmatch(rf"web5: .*{words}.*\n", error)
    assert os.listdir(tmp_path) == []


async def test_an_archive_of_another_identity_than_the_one_that_is_named_is_refused(run: Run, tmp_path: Path) -> None:
    did = await make(tmp_path / "old")
    at = ("--gateway", GATEWAY, "--data")
    await run("export", *at, tmp_path / "old", tmp_path / "me.zip", "--keys", "plain")
    code, _, error = await run("import", *at, tmp_path / "new", tmp_path / "me.zip", "--did", "did:example:other")
    assert code == 1 and did in error
    code, _, error = await run("export", *at, tmp_path / "old", tmp_path / "x.zip", "--did", "did:example:other")
    assert code == 1 and "not on this agent" in error


async def test_a_folder_that_is_open_already_is_left_alone(run: Run, tmp_path: Path) -> None:
    await make(tmp_path / "old")
    with sole_use(tmp_path / "old"):
        code, _, error = await run("status", "--data", tmp_path / "old", "--gateway", GATEWAY)
    assert code == 1 and "open already" in error


async def test_it_is_a_program_of_its_own() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "web5.cli.main", "status", "--data", "nowhere"),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stderr=asyncio.subprocess.PIPE,
    )
    _, error = await process.communicate()
    assert (process.returncode, error.count(b"\n")) == (1, 1)


def test_a_command_that_is_not_known_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["explode"])
    assert ended.value.code == 2
    assert "invalid choice" in capsys.readouterr().err
