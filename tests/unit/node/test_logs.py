"""The bounded log."""

import io
import json
import logging

import pytest

from web5.node.http import requests
from web5.node.logs import BoundedHandler


@pytest.fixture
def log():
    """A logger, what it has written, and its clock."""

    class Log:
        now = 0.0
        out = io.StringIO()

    made = Log()
    made.out = io.StringIO()
    made.to = logging.Logger("node")
    made.to.addHandler(BoundedHandler(made.out, lambda: made.now))
    made.lines = lambda: made.out.getvalue().splitlines()
    return made


def test_a_kind_takes_a_line_a_minute_with_the_number_of_those_left_out(log):
    for number in range(1000):
        log.now = number * 0.1
        log.to.warning(f"stranger {number}")
    assert [line.partition("stranger ")[2] for line in log.lines()] == ["0", "600 (and 599 more like it)"]


def test_kinds_do_not_hide_each_other(log):
    for _ in range(3):
        log.to.warning("one")
        log.to.warning("two")
    assert [line[-3:] for line in log.lines()] == ["one", "two"]


def fail_deep(depth: int, kind: type[Exception]) -> None:
    if depth:
        fail_deep(depth - 1, kind)
    raise kind("x" * 100_000 + "\n")


def test_tracebacks_are_bounded_and_counted_by_their_error(log):
    for kind in (ValueError, TypeError, ValueError):
        try:
            fail_deep(500, kind)
        except Exception as error:
            log.to.error("failed", exc_info=error)
    assert len(log.out.getvalue()) < 2 * 5000
    assert [line[:10] for line in log.lines() if "Error: x" in line] == ["ValueError", "TypeError:"]


def test_nobody_writes_lines_of_his_own(log):
    log.to.warning("%s", "a\n2026 ERROR node: forged\x1b[31m\u2028")
    [line] = log.lines()
    assert "\\n2026" in line
    assert "\x1b" not in line


def test_lines_of_json_have_the_request_and_the_error():
    out = io.StringIO()
    logger = logging.Logger("node")
    logger.addHandler(BoundedHandler(out, form="json"))
    token = requests.request_id.set("17")
    try:
        fail_deep(0, ValueError)
    except ValueError as error:
        logger.error("a\n\u2028 request failed", exc_info=error)
    finally:
        requests.request_id.reset(token)
    logger.error("nobody asked")
    first, second = map(json.loads, out.getvalue().splitlines())
    assert (first["request"], first["level"]) == ("17", "error")
    assert first["message"] == "a\\n\\u2028 request failed"
    assert first["error"].startswith("ValueError: xxx")
    assert "fail_deep" in first["frames"]
    assert set(second) == {"time", "level", "logger", "message"}


def test_every_request_has_its_line(log):
    for number in range(3):
        record = logging.LogRecord(requests.log.name, logging.INFO, "a", 1, "GET / %d", (number,), None)
        log.to.handle(record)
    assert [line[-7:] for line in log.lines()] == ["GET / 0", "GET / 1", "GET / 2"]
