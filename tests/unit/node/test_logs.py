"""The bounded log."""

import io
import logging

import pytest

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
