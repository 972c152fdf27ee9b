"""The README shows the example that is really served."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_ten_lines_of_the_readme_are_those_of_the_example() -> None:
    page = (ROOT / "web" / "examples" / "hello.html").read_text()
    script = page.split('<script type="py" async>\n', 1)[1].split("</script>", 1)[0]
    assert len([line for line in script.splitlines() if line]) <= 10
    assert f"```python\n{script}```" in (ROOT / "README.md").read_text()
