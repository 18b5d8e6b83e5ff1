"""Configures Sphinx for `make docs`."""

import llmkit

project = "llmkit"
author = copyright = "The llmkit contributors"
version = release = llmkit.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["README.md"]
html_theme = "furo"
html_title = "llmkit"
html_show_sphinx = False
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_use_rtype = False
nitpicky = False
# The site can be read offline: it loads nothing from other servers.
html_theme_options = {"sidebar_hide_name": False}
