"""Notes as HTML; the numbers are invariants of app/notes/markdown.py."""

from __future__ import annotations

import pytest
from app.notes import markdown
from app.notes.markdown import LONGEST

OWN = "did:dht:cyuoqaf7itop8ohww4yn5ojg13qaq83r9zihgqntc5i9zwrfdfoo"
OTHER = "did:dht:i9xkp8ddcbcg8jwq54ox699wuzxyifsqx4jru45zodqu453ksz6y"


def html_of(text: str) -> str:
    return markdown.html_of(text, OWN)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("two\nlines", "<p>two<br />\nlines</p>"),
        ("**bold** ~~gone~~ `code`", "<p><strong>bold</strong> <s>gone</s> <code>code</code></p>"),
        ("[link](https://a.example/?b&c)", '<p><a href="https://a.example/?b&amp;c">link</a></p>'),
        ("[here](#/notes/abc)", '<p><a href="#/notes/abc">here</a></p>'),
        ("#tag is no heading", "<p>#tag is no heading</p>"),
    ],
)
def test_what_is_marked_is_shown_so(text: str, html: str) -> None:
    assert html_of(text) == html


@pytest.mark.parametrize(
    "text",
    [
        "<script>ran()</script>",
        "<img src=x onerror=ran()>",
        "a <b onclick='ran()'>b</b>",
        "[x](javascript:ran())",
        "[x](JaVaScRiPt:ran())",
        "[x](&#106;avascript:ran())",
        "[x](java&#10;script:ran())",
        "[x](data:text/html,<script>ran()</script>)",
        "[x](vbscript:ran())",
        "[x](file:///etc/passwd)",
        "[x](relative/page.html)",
        "![x](javascript:ran())",
        "<javascript:ran()>",
        "[x]: javascript:ran()\n\n[x]",
    ],
)
def test_nothing_of_a_note_runs(text: str) -> None:
    """1."""
    html = html_of(text)
    assert "<script" not in html and "<img" not in html and "<b " not in html
    assert "<a" not in html


def test_pictures_of_strangers_are_links() -> None:
    """2."""
    assert html_of("![a *cat*](https://a.example/c.png)") == '<p><a href="https://a.example/c.png">a cat</a></p>'
    linked = html_of("[![a](https://a.example/c.png)](https://b.example/)")
    assert linked == '<p><a href="https://b.example/">a</a></p>'
    assert html_of('![" onload="ran()](https://a.example/c.png)').count("<a href=") == 1


def test_own_pictures_are_shown() -> None:
    """2."""
    drl = f"https://dweb/{OWN}/records/bafyabc"
    assert html_of(f"![a *cat*]({drl})") == f'<p><img src="{drl}" alt="a cat"></p>'
    assert html_of(f"[![a]({drl})](https://b.example/)").count("<img") == 1
    assert html_of(f'![" onerror="ran()]({drl})') == f'<p><img src="{drl}" alt="&quot; onerror=&quot;ran()"></p>'
    for address in (
        f"https://dweb/{OTHER}/records/bafyabc",
        f"https://dweb.example/{OWN}/records/bafyabc",
        f"https://dweb/{OWN}/records/../x",
        f"https://dweb/{OWN}/records/bafyabc?x",
        f"https://dweb/{OWN}",
    ):
        assert "<img" not in html_of(f"![a]({address})")
        assert f'<a href="{address}">a</a>' in html_of(f"![a]({address})")
    # What was rendered for one is not shown to another.
    assert "<img" not in markdown.html_of(f"![a *cat*]({drl})", OTHER)


def test_headings_go_down_step_by_step() -> None:
    """3."""
    html = html_of("### a\n\n# b\n\n### c\n\n###### d\n\n## e")
    assert [html[at + 1 : at + 3] for at in range(len(html)) if html.startswith("<h", at)] == [
        "h3",
        "h3",
        "h4",
        "h5",
        "h4",
    ]


def test_a_long_text_is_shown_as_it_is() -> None:
    text = "<b>" + "*a* " * LONGEST
    assert html_of(text) == "<pre>" + text.replace("<b>", "&lt;b&gt;") + "</pre>"


@pytest.mark.parametrize(
    "part", ["[", "*a ", "> ", "`a", "![", "<a ", "_*a", "- ", "|a", "[a](", "[^", "a**", "&", "#"]
)
def test_no_text_is_too_much(part: str) -> None:
    assert html_of(part * (LONGEST // len(part)))
