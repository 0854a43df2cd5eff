"""The rules of the house that no single module can hold: layers, pins, sizes, and what README promises."""

import ast
import importlib
import importlib.metadata
import re
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import semgjax
from semgjax.cli.main import GROUPS

ROOT = Path(__file__).parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "semgjax").rglob("*.py"))
}
TOP = {"sweep", "demo", "cli", "api"}
UPPER = {
    "losses",
    "training",
    "distilling",
    "personalising",
    "decode",
    "evaluate",
    "adapting",
    "scaling",
    "exporting",
    "pages",
} | TOP
ALL = {"data", "kernels", "model"} | UPPER
# layer -> the layers above it, which nothing that it imports, directly or through others, may belong to
ABOVE = {
    "errors": ALL,
    "printable": ALL,
    "cells": ALL,
    "one_report": ALL,
    "files": ALL,
    "address": ALL,
    "config_history": ALL,
    "config_json": ALL,
    "notebook": ALL,
    "measures": ALL,
    "runtime": ALL | {"parallel", "streaming"},
    "data": ALL - {"data"},
    "kernels": ALL - {"kernels"},
    "model": UPPER,
    "pages": TOP | {"training", "distilling", "personalising", "exporting"},
    "parallel": {"pages", "data", "training", "distilling", "personalising", "evaluate", "scaling", "exporting"} | TOP,
    "losses": {"pages", "training", "distilling", "personalising", "decode", "evaluate", "scaling", "exporting"} | TOP,
    "decode": {"pages", "training", "distilling", "personalising", "evaluate", "scaling", "exporting"} | TOP,
    "scaling": {"pages", "training", "distilling", "personalising", "evaluate", "exporting"} | TOP,
    "training": {"pages", "distilling", "personalising", "scaling", "exporting"} | TOP,
    "evaluate": {"pages"} | TOP,
    "distilling": {"pages", "personalising"} | TOP,
    "personalising": {"pages"} | TOP,
    "adapting": {"pages", "training", "distilling", "personalising", "exporting"} | TOP,
    "exporting": {"pages"} | TOP,
    "transfer": {"pages", "distilling", "personalising", "adapting", "exporting"} | TOP,
    "streaming": {"pages", "training", "distilling", "exporting"} | TOP,
    "sweep": {"demo", "cli", "api"},
    "api": {"demo", "cli"},
    "demo": {"cli"},
}
# Unpickling and evaluating run what a file says; fetching is the user's to do.
FORBIDDEN_IMPORTS = {
    "pickle",
    "dill",
    "cloudpickle",
    "marshal",
    "shelve",
    "requests",
    "urllib",
    "http",
    "ftplib",
}
FORBIDDEN_CALLS = {"eval", "exec"}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def imports_of(path: Path) -> set[str]:
    """Dotted names imported anywhere in a file; for `from a import b` both a and a.b."""
    names: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write it out"
            names |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def reachable(start: str) -> set[str]:
    """The modules of semgjax that importing `start` brings in, through any number of steps."""
    found, waiting = {start}, [start]
    while waiting:
        for name in imports_of(MODULES[waiting.pop()]):
            if name in MODULES and name not in found:
                found.add(name)
                waiting.append(name)
    return found


def layer_of(module: str) -> str:
    return (module.split(".") + [""])[1]


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


LOCKS = ("requirements.lock", "requirements-newest.lock")


def lock_lines(lock: str) -> list[str]:
    lines = (ROOT / lock).read_text().splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def pins(lock: str) -> dict[str, str]:
    requirements = [Requirement(line) for line in lock_lines(lock)]
    return {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in requirements}


@pytest.mark.parametrize("layer", ABOVE)
def test_a_layer_reaches_no_layer_above_it(layer):
    modules = [module for module in MODULES if layer_of(module) == layer]
    wrong = {
        f"{module} -> {other}" for module in modules for other in reachable(module) if layer_of(other) in ABOVE[layer]
    }
    assert not wrong


def test_no_two_modules_share_a_name():
    names = [path.stem for path in MODULES.values() if path.stem != "__init__"]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_every_layer_has_its_rule():
    assert {layer_of(module) for module in MODULES} - {"", "__main__", "cli"} <= set(ABOVE)


def test_an_import_of_a_higher_layer_is_seen_through_a_function_and_a_from_import(tmp_path):
    path = tmp_path / "low.py"
    path.write_text("def work():\n    from semgjax.training import loop\n    import semgjax.cli.main\n")
    assert imports_of(path) == {"semgjax.training", "semgjax.training.loop", "semgjax.cli.main"}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_short_and_says_what_it_does(module):
    path = MODULES[module]
    assert len(path.read_text().splitlines()) <= 400
    if tree_of(path).body:
        assert ast.get_docstring(tree_of(path)), f"{path.relative_to(ROOT)} has no docstring"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_runs_no_text_from_files_and_fetches_nothing(module):
    tree = tree_of(MODULES[module])
    assert not {name.partition(".")[0] for name in imports_of(MODULES[module])} & FORBIDDEN_IMPORTS
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else ""
            assert called not in FORBIDDEN_CALLS, f"line {node.lineno} calls {called}"
            assert "allow_pickle" not in {keyword.arg for keyword in node.keywords}, f"line {node.lineno}"


def test_every_third_party_import_is_a_declared_dependency():
    extras = ("brainflow", "litert", "onnx", "ray", "stream", "tensorboard", "wandb")
    optional = [text for name in extras for text in project()["optional-dependencies"][name]]
    declared = {canonicalize_name(Requirement(text).name) for text in [*project()["dependencies"], *optional]}
    provides = declared - {"absl-py", "orbax-checkpoint"} | {"absl", "orbax"}
    provides |= {"litert-converter"}  # no extra can install it beside the rest; the message says how
    standard = {"semgjax"} | set(sys.stdlib_module_names)
    used = {name.partition(".")[0] for path in MODULES.values() for name in imports_of(path)} - standard
    assert {canonicalize_name(name) for name in used} <= provides


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_holds_exact_pins_and_no_addresses(lock):
    for line in lock_lines(lock):
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+( ; [a-z_]+ [!=<>]=? \"[\w.]+\")?", line), line
    names = [canonicalize_name(Requirement(line).name) for line in lock_lines(lock)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("group", ["run", "test", "lint", "docs"])
def test_the_lock_pins_every_dependency_within_its_range(group, lock):
    texts = project()["dependencies"] if group == "run" else project()["optional-dependencies"][group]
    for requirement in map(Requirement, texts):
        pinned = pins(lock).get(canonicalize_name(requirement.name))
        assert pinned is not None, f"{requirement.name} is not in {lock}"
        assert requirement.specifier.contains(pinned), f"{requirement} against {pinned}"


def test_every_dependency_has_a_lower_and_an_upper_bound():
    for requirement in map(Requirement, project()["dependencies"]):
        assert {part.operator for part in requirement.specifier} == {">=", "<"}, str(requirement)


def test_the_lock_pins_what_the_pinned_packages_need():
    installed = importlib.metadata.version("jax")
    here = next((pins(lock) for lock in LOCKS if pins(lock)["jax"] == installed), None)
    assert here is not None, f"jax {installed} is in no lock"
    missing = set()
    for name in here:
        for text in importlib.metadata.requires(name) or []:
            requirement = Requirement(text)
            wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if wanted and canonicalize_name(requirement.name) not in here:
                missing.add(f"{name} needs {requirement}")
    assert not missing


def test_the_copyleft_transliterator_is_not_among_the_dependencies():
    for lock in LOCKS:
        assert "unidecode" not in pins(lock)
        assert "anyascii" in pins(lock)


def test_the_licence_is_apache_in_the_metadata_and_in_the_file():
    assert project()["license"] == "Apache-2.0"
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text and "END OF TERMS AND CONDITIONS" in text


def test_the_changelog_has_an_entry_for_this_version():
    assert f"## [{semgjax.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("group", GROUPS)
def test_a_command_group_has_its_module_with_run(group):
    assert callable(importlib.import_module(f"semgjax.cli.{group}").run)


def test_readme_opens_with_the_two_commands_and_make_has_them():
    opening = (ROOT / "README.md").read_text()[:1500]
    makefile = (ROOT / "Makefile").read_text()
    for target in ("demo", "test"):
        assert f"make {target}" in opening
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_documents_name_only_commands_that_exist():
    for page in [*ROOT.glob("*.md"), *ROOT.glob("*/*.md"), *ROOT.glob("docs/*/*.md")]:
        named = re.findall(r"(?:^ {4}(?:\.venv/bin/)?|`)semgjax ([a-z]+)\b", page.read_text(), re.MULTILINE)
        assert set(named) <= set(GROUPS), page.name


def test_links_between_documents_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *ROOT.glob("*/*.md"), *ROOT.glob("docs/*/*.md")]:
        visible = re.sub(r"<!--.*?-->", "", page.read_text(), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", visible):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"
