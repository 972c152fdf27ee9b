"""Sphinx's settings for the documentation, which `build.py docs` makes."""

from __future__ import annotations

import tomllib
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from web5_build.paths import SITE
from web5_build.site import weights

_ABOUT = tomllib.loads((Path(__file__).resolve().parents[1] / "pyproject.toml").read_text())["project"]

project = _ABOUT["name"]
author = "The authors of web5-py"
version = release = _ABOUT["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns: list[str] = []

myst_heading_anchors = 3
default_role = "py:obj"  # in docstrings, `Record.send` is a link where there is such a name
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 90

html_theme = "furo"
html_title = "web5-py"
html_favicon = "../web/assets/mark.svg"
html_static_path = ["assets"]
html_js_files = ["search.js"]
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#2b5fb3", "color-brand-content": "#2b5fb3"},
    "dark_css_variables": {"color-brand-primary": "#8ab4f8", "color-brand-content": "#8ab4f8"},
}


def _draw(_app: Sphinx, what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Show what is drawn in a module's docstring as it is drawn."""
    if what == "module":
        lines[1:] = ["", "::", "", *(f"    {line}" for line in lines[1:]), ""]


class Weights(Directive):
    """The table of what the pages fetch, in MB, of the site that is built."""

    def run(self) -> list[nodes.Node]:
        rows = [f'   "{name}", "{notes}", "{hello}"' for name, notes, hello in weights.table(SITE)]
        head = [".. csv-table::", '   :header: "MB", "Notes", "Ten lines"', "   :widths: 60, 20, 20", ""]
        self.state_machine.insert_input([*head, *rows, ""], str(SITE))
        return []


def setup(app: Sphinx) -> None:
    app.add_directive("weights", Weights)
    app.connect("autodoc-process-docstring", _draw)
