"""How the pages are built: Markdown by MyST, the reference from the docstrings, nothing from the network."""

from __future__ import annotations

import logging
from importlib.metadata import version as version_of

import django
from django.conf import settings
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

project = "reportflow"
author = "the authors of reportflow"
project_copyright = "the authors of reportflow, Apache-2.0"
release = version = version_of("reportflow")
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["build"]

default_role = "code"  # docstrings write `name` for code
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": True, "exclude-members": "facts"}
napoleon_google_docstring = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = f"reportflow {version}"
html_copy_source = False


# the reference imports the models of the application for Django
settings.configure(INSTALLED_APPS=["reportflow.hosts.django"])
django.setup()

# the reference imports Alembic, which announces its plugins as soon as logging is set up
logging.getLogger("alembic").setLevel(logging.WARNING)


def setup(app: Sphinx) -> None:
    """Show Mermaid drawings as their text: the script that would draw them comes from the network."""
    app.add_lexer("mermaid", TextLexer)
