"""The headers of what strangers published. The numbers are the invariants of `web5.dwn.reading.content`."""

from __future__ import annotations

import pytest

from web5.dwn.reading.content import TEXT, UNKNOWN, content_headers, media_type


@pytest.mark.parametrize(
    ("data_format", "given"),
    [
        ("image/png", "image/png"),
        ("IMAGE/PNG", "image/png"),
        ("text/plain;charset=utf-8", "text/plain;charset=utf-8"),
        ("text/html; charset=utf-8", "text/html; charset=utf-8"),
        ('video/mp4; codecs="avc1.42E01E, mp4a.40.2"', 'video/mp4; codecs="avc1.42E01E, mp4a.40.2"'),
        ("application/vnd.example+json", "application/vnd.example+json"),
        # 2
        ("text/javascript", TEXT),
        ("application/x-javascript; charset=utf-8", TEXT),
        ("Text/JavaScript1.5", TEXT),
        ("application/ecmascript", TEXT),
        ("text/css", TEXT),
        ("multipart/x-mixed-replace; boundary=x", UNKNOWN),
        ("message/rfc822", UNKNOWN),
        # 3
        ("image/png\r\nset-cookie: x=1", UNKNOWN),
        ("image/png\n", UNKNOWN),
        ("image/пнг", UNKNOWN),
        ("image", UNKNOWN),
        ("", UNKNOWN),
        (None, UNKNOWN),
        ("image/png; " + "a=b; " * 100, UNKNOWN),
        ("a" * 81 + "/b", UNKNOWN),
    ],
)
def test_the_type_that_a_browser_is_given(data_format: str | None, given: str) -> None:
    assert media_type(data_format) == given


@pytest.mark.parametrize(
    ("data_format", "shown"),
    [
        ("image/png", True),
        ("image/webp", True),
        ("audio/ogg", True),
        ("video/webm; codecs=vp9", True),
        ("text/plain", True),
        ("application/json", True),
        ("text/javascript", True),  # as text
        ("image/svg+xml", False),
        ("image/svg+xml; charset=utf-8", False),
        ("image/svg", False),
        ("text/html", False),
        ("application/xhtml+xml", False),
        ("text/xml", False),
        ("application/pdf", False),
        ("no type", False),
    ],
)
def test_what_could_hold_a_program_is_saved_instead_of_shown(data_format: str, shown: bool) -> None:
    headers = content_headers({"recordId": "bafyreia", "descriptor": {"dataFormat": data_format}})
    assert headers["content-disposition"] == f'{"inline" if shown else "attachment"}; filename="bafyreia"'
    assert headers["x-content-type-options"] == "nosniff"
    assert "; sandbox" in headers["content-security-policy"]
    assert "script" not in headers["content-security-policy"] and "allow" not in headers["content-security-policy"]


def test_an_id_that_is_none_is_in_no_header() -> None:
    headers = content_headers({"recordId": 'x"\r\ny: z', "descriptor": {}})
    assert headers["content-disposition"] == "attachment"
