"""The page is put together of its screens, none left out, and none that would hide another."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from web5_build.site.screens import put_together


def _web(folder: Path, page: str, **templates: str) -> Path:
    (folder / "web" / "ui").mkdir(parents=True)
    (folder / "site").mkdir()
    (folder / "web" / "index.html").write_text(page)
    for name, text in templates.items():
        (folder / "web" / "ui" / f"{name}.html").write_text(text)
        (folder / "web" / "ui" / f"{name}.css").write_text(f".{name} {{}}\n")
    (folder / "web" / "ui" / "tokens.css").write_text(":root {}\n")
    return folder / "web"


def test_templates_stand_where_the_page_names_them(tmp_path: Path) -> None:
    page = '<main>\n  <template src="ui/b.html"></template>\n  <template src="ui/a.html"></template>\n</main>\n'
    put_together(tmp_path / "site", _web(tmp_path, page, a="<p>a</p>\n", b="<p>b</p>\n"))
    assert (tmp_path / "site" / "index.html").read_text() == "<main>\n<p>b</p>\n<p>a</p>\n</main>\n"
    assert (tmp_path / "site" / "style.css").read_text() == ":root {}\n\n.a {}\n\n.b {}\n"


@pytest.mark.parametrize(
    ("page", "says"),
    [('<template src="ui/c.html"></template>\n', "which is not there"), ("<main></main>\n", "does not name ui/a.html")],
)
def test_a_template_that_is_missing_or_left_out_is_refused(tmp_path: Path, page: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        put_together(tmp_path / "site", _web(tmp_path, page, a="<p>a</p>\n"))


def test_every_id_of_the_built_page_is_there_once(site: Path) -> None:
    page = (site / "index.html").read_text()
    ids = Counter(re.findall(r'\sid="([^"]+)"', page))
    assert ids and [one for one, times in ids.items() if times > 1] == []
    named = " ".join(re.findall(r'\s(?:aria-labelledby|aria-describedby|for)="([^"]+)"', page)).split()
    assert named and [one for one in named if one not in ids] == []
