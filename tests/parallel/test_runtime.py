"""Start-up of a process that is on its own."""

from semgjax.parallel.runtime import start_processes


def test_alone_nothing_is_started_and_nothing_printed(capsys):
    start_processes("auto", 1, {})
    assert capsys.readouterr() == ("", "")
