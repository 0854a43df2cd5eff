"""Sphinx configuration: `make docs` builds these pages, runs the notebooks, and treats every warning as an error."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]
# The notebooks' kernels inherit these: the checkout that is documented, its `semgjax` command, and JAX on the CPU.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
os.environ["JAX_PLATFORMS"] = "cpu"

import semgjax  # noqa: E402

project = "semgjax"
author = "the semgjax authors"
copyright = "the semgjax authors, Apache License 2.0"
version = release = semgjax.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "command_line",
    "docstrings",
    "streams",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_ext", "_templates"]

html_theme = "sphinx_book_theme"
html_title = "semgjax"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {"show_toc_level": 2, "home_page_in_toc": True, "navigation_with_keys": False}
html_show_sourcelink = False
html_copy_source = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

nb_execution_mode = "force"
nb_execution_timeout = 600
nb_execution_show_tb = True
nb_merge_streams = True
nb_ipywidgets_js = {}  # these would be fetched from another site by whoever reads the pages

autosummary_generate = True
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "undoc-members": False, "show-inheritance": False}
default_role = "literal"
smartquotes = False  # they would make a dash of the two hyphens of an option
nitpicky = True
# No other project's index is fetched, so only names of these packages can be checked, and private ones have no entry.
DOCUMENTED = (
    "data|model|losses|training|distilling|personalising|adapting|decode|evaluate|streaming|exporting|scaling|sweep|"
    "parallel|errors"
)
nitpick_ignore_regex = [
    ("py:.*", rf"(?!semgjax\.({DOCUMENTED})\.).*"),
    ("py:.*", r".*\._.*"),
    ("py:class", r"semgjax\..*\.[A-Z]"),
]
napoleon_use_ivar = True
suppress_warnings = ["ref.python"]
autodoc_mock_imports = ["ray", "wandb", "tensorboardX"]
