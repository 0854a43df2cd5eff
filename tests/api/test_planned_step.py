"""A planned step from Python: refusals by name and value, and the same lines as the command prints."""

import pytest

from semgjax import dry_run
from semgjax.api.planned_step import state_layout
from semgjax.cli.main import main
from tests.refused import refused


@pytest.mark.parametrize(
    ("arguments", "changes", "code", "named"),
    [
        (("ladder-16", "v5e-9"), {}, "unknown-name", "'v5e-9'"),
        (("leader-16", "v5e-8"), {}, "unknown-name", "'leader-16'"),
        (("ladder-16", "v5e-8"), {"train": {"step": 3}}, "unknown-name", "'step'"),
        (("ladder-16", "v5e-8"), {"train": {"batch": "16"}}, "bad-field", "'16'"),
        (("ladder-16", "v5e-8"), {"train": {"batch": 3}}, "bad-value", "train.batch 3"),
        (("ladder-16", "v5e-8"), {"train": {"batch": 16}, "engine": {"fsdp": 3}}, "bad-value", "engine.fsdp 3"),
    ],
)
def test_a_step_that_cannot_be_planned_is_refused_by_name(arguments, changes, code, named):
    with refused(code, named):
        dry_run(*arguments, **changes)


def test_an_unknown_keyword_is_a_type_error():
    with pytest.raises(TypeError):
        dry_run("ladder-16", "v5e-8", trian={"batch": 16})


@pytest.mark.slow
def test_the_command_prints_the_layout_that_python_gives(capsys):
    words = ["train", "--preset", "ladder-16", "--show-sharding", "--topology", "v5e-8", "--train.batch=16"]
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines() == state_layout("ladder-16", "v5e-8", train={"batch": 16})


@pytest.mark.slow
def test_a_planned_step_shows_itself_on_one_line_and_as_a_table():
    found = dry_run("ladder-16", "v5e-8", train={"batch": 16})
    assert repr(found).startswith("DryRun(v5e-8: ") and f"{found.params:,}" in repr(found) and "\n" not in repr(found)
    shown = found._repr_html_()
    assert str(found.state_bytes) in shown and "None" not in shown
