"""Where settings come from, which counts, and what is said of those that cannot be used."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from web5.node.program.commands import config
from web5.node.program.main import main, parser
from web5.node.program.settings import NodeSettings
from web5.node.program.sources import Found, WrongSettings, read

PATHS = "a path is / or one word behind it, such as /dwn0, and not /admin, /dht or /lock"
TOKEN = "a token that nobody guesses"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WEB5_NODE_")]:
        monkeypatch.delenv(name)


def found(*flags: str) -> Found:
    return read(parser().parse_args(["serve", *flags]))


def faults(*flags: str) -> list[str]:
    with pytest.raises(WrongSettings) as raised:
        found(*flags)
    return str(raised.value).splitlines()


def test_flags_count_before_variables_before_the_file_before_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "node.toml"
    file.write_text('data = "/file"\nport = 1\nhost = "::1"\npaths = ["/a", "/b"]\ngateway = false\n')
    monkeypatch.setenv("WEB5_NODE_CONFIG", str(file))
    monkeypatch.setenv("WEB5_NODE_DATA", "/variable")
    monkeypatch.setenv("WEB5_NODE_PORT", "2")
    monkeypatch.setenv("WEB5_NODE_SITE", "")
    one = found("--port", "3", "--gateway")
    settings = one.settings
    assert (settings.port, settings.data, settings.host) == (3, Path("/variable"), "::1")
    assert (settings.paths, settings.gateway, settings.site, settings.time_window) == (("/a", "/b"), True, None, 600)
    assert one.places == {
        "port": "--port",
        "gateway": "--gateway",
        "data": "WEB5_NODE_DATA",
        "host": f"host in {file}",
        "paths": f"paths in {file}",
    }


def test_the_flag_names_the_file_before_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.toml").write_text('data = "/one"')
    monkeypatch.setenv("WEB5_NODE_CONFIG", str(tmp_path / "other.toml"))
    assert found("--config", str(tmp_path / "one.toml")).settings.data == Path("/one")
    assert faults() == [f"{tmp_path / 'other.toml'}: there is no such file"]


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB5_NODE_PROXIES", "127.0.0.1, 10.0.0.0/8,")
    settings = found("--data", "x", "--paths", "/dwn0,/dwn1").settings
    assert settings.proxies == ("127.0.0.1", "10.0.0.0/8")
    assert settings.paths == ("/dwn0", "/dwn1")


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        ([], "data: say where the data are: in a folder, or with database in PostgreSQL"),
        (["--port", "65536"], "--port = 65536: input should be less than or equal to 65535"),
        (["--port", "http"], "--port = http: input should be a valid integer, unable to parse string as an integer"),
        (["--time-window", "-1"], "--time-window = -1: input should be greater than or equal to 0"),
        (["--proxies", "10.0.0.1/8"], "--proxies = 10.0.0.1/8: 10.0.0.1/8 has host bits set"),
        (["--public-url", "dwn.example"], "--public-url = dwn.example: a URL is like https://dwn.example.org"),
        (
            ["--paths", "/dht"],
            "--paths = /dht: a path is / or one word behind it, such as /dwn0, and not /admin, /dht or /lock",
        ),
        (
            ["--paths", "/../x"],
            "--paths = /../x: a path is / or one word behind it, such as /dwn0, and not /admin, /dht or /lock",
        ),
        (["--paths", "/a,/a"], "--paths: one is there twice"),
        (["--paths", "/,/a"], "--paths: where there are several, none of them can be /"),
        (["--site", "x"], "--site: it is served at /, so that the DWNs need paths of their own, such as /dwn0"),
        (["--log-level", "loud"], "--log-level = loud: input should be 'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_what_is_wrong_is_named_as_it_was_given(flags: list[str], line: str) -> None:
    assert faults(*flags, *(["--data", "x"] if flags else [])) == [line]


def test_each_fault_has_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB5_NODE_REPLY_BYTES", "many")
    lines = faults("--data", "x", "--port", "-1")
    assert [line.split(" = ")[0] for line in lines] == ["--port", "WEB5_NODE_REPLY_BYTES"]


def test_a_variable_that_nobody_reads_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB5_NODE_PROXY", "127.0.0.1")
    assert faults("--data", "x") == ["WEB5_NODE_PROXY: there is no such variable; there is WEB5_NODE_PROXIES"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('data = "x"\nprot = 1', "prot in FILE: there is no such setting; there is port"),
        ("data = x", "FILE: it cannot be read as TOML (Invalid value (at line 1, column 8))"),
        ('data = "x"\nport = [1]', "port in FILE = [1]: input should be a valid integer"),
    ],
)
def test_a_file_is_read_as_strictly(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "node.toml"
    file.write_text(text)
    assert faults("--config", str(file)) == [line.replace("FILE", str(file))]


def test_what_is_in_force_is_printed_as_a_file_that_says_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEB5_NODE_METRICS_TOKEN", TOKEN)
    flags = ["--data", '/a "b" \\ \t ü', "--paths", "/a,/b", "--gateways", "https://one.example", "--no-gateway"]
    assert main(["config", *flags, "--terms", "terms.txt"]) == 0
    printed = capsys.readouterr().out
    assert TOKEN not in printed
    assert "# metrics_token is set, and not shown" in printed
    (tmp_path / "node.toml").write_text(printed)
    again = found("--config", str(tmp_path / "node.toml")).settings
    assert again == found(*flags, "--terms", "terms.txt").settings
    assert "--paths" in next(line for line in printed.splitlines() if line.startswith("paths = "))


def test_every_setting_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    config(Found(NodeSettings(data=Path("x")), {}))
    printed = capsys.readouterr().out
    assert {line.removeprefix("# ").split(" ")[0] for line in printed.splitlines()} == set(NodeSettings.model_fields)
    assert tomllib.loads(printed)["paths"] == ["/"]


def test_a_secret_is_no_flag_and_in_no_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WEB5_NODE_METRICS_TOKEN", "short")
    assert main(["config", "--data", "x"]) == 2
    error = capsys.readouterr().err
    assert error == "web5-node: WEB5_NODE_METRICS_TOKEN: a token has at least 16 characters, all of ASCII\n"
    assert "token" not in parser().format_help()
    assert TOKEN not in repr(NodeSettings(data=Path("x"), metrics_token=TOKEN))
