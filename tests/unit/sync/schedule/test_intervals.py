import pytest

from web5.errors import InvalidArgument
from web5.sync.schedule.intervals import parse_interval


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2m", 120),
        ("30s", 30),
        ("1 hour", 3600),
        ("1.5h", 5400),
        ("500ms", 0.5),
        ("100", 0.1),
        ("2 Days", 172800),
        ("1w", 604800),
        (".5 min", 30),
        ("1y", 31557600),
        ("10 msecs".replace("10", "250"), 0.25),
        ("3 HRS", 10800),
    ],
)
def test_reads_what_ms_reads(text: str, seconds: float) -> None:
    assert parse_interval(text) == pytest.approx(seconds)


def test_off_is_no_interval() -> None:
    assert parse_interval("off") is None


@pytest.mark.parametrize(
    "text",
    ["", " ", "2 fortnights", "-1s", "0", "0m", "1ms", "99ms", "1e3", "1,5h", "two minutes", "2m 30s", " 2m", "2m ",
     "OFF", "1.h", "nan", "inf", "٣s", "1" * 101, None, 5, 2.5, b"2m"],
)  # fmt: skip
def test_refuses_what_is_no_interval(text: object) -> None:
    with pytest.raises(InvalidArgument):
        parse_interval(text)  # type: ignore[arg-type]
