"""Slurm's node lists in all their forms, by our own parser and by Slurm's where it answers."""

import pytest

from semgjax.errors import InputError
from semgjax.parallel.hosts import host_names, whole_number


@pytest.fixture(autouse=True)
def no_slurm(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("nodes", "names"),
    [
        ("n1", "n1"),
        ("n1,n2", "n1 n2"),
        ("n[3]", "n3"),
        ("n[1-3]", "n1 n2 n3"),
        ("n[001-003]", "n001 n002 n003"),
        ("n[09-11]", "n09 n10 n11"),
        ("n[9-11]", "n9 n10 n11"),
        ("n[098-101]", "n098 n099 n100 n101"),
        ("n[007,010-011]", "n007 n010 n011"),
        ("n[1-2]-ib", "n1-ib n2-ib"),
        ("n[1-2].site.org", "n1.site.org n2.site.org"),
        ("r[1-2]n[1-3]", "r1n1 r1n2 r1n3 r2n1 r2n2 r2n3"),
        ("r[1-2]n[01,3]-ib,x", "r1n01-ib r1n3-ib r2n01-ib r2n3-ib x"),
        ("m,n[1-2]", "m n1 n2"),
        ("n[1-2],m", "n1 n2 m"),
        ("n[1-2],n[5,7]", "n1 n2 n5 n7"),
        ("a-b[1-2]c", "a-b1c a-b2c"),
    ],
)
def test_a_node_list_is_expanded_in_its_order(nodes, names):
    assert host_names(nodes) == names.split()


@pytest.mark.parametrize(
    "nodes",
    ["", "n[", "n]", "n[1-", "n[1-2", "n1-2]", "n[[1]]", "n[]", "n[1,]", "n[a-b]", "n[3-1]", "n[1-2-3]", "n1,,n2",
     ",n1", "n1,", "[1-2]-", "-n1", "n 1", "n[1-999999999]", "a[1-999]b[1-999]", "n[\u0661-\u0662]", "n;touch x",
     "(null)"],
)  # fmt: skip
def test_a_list_that_cannot_be_parsed_is_refused(nodes):
    with pytest.raises(InputError) as caught:
        host_names(nodes)
    assert caught.value.code == "bad-environment"


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ('[ "$1 $2 $3" = "show hostnames n[1-2]" ] && printf "one\\ntwo\\n"', ["one", "two"]),
        ("exit 1", ["n1", "n2"]),
        ("echo cannot reach the controller!", ["n1", "n2"]),
        ("true", ["n1", "n2"]),
    ],
)
def test_slurms_own_answer_is_taken_where_it_gives_one(no_slurm, body, names):
    program = no_slurm / "scontrol"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    assert host_names("n[1-2]") == names


@pytest.mark.parametrize("text", ["", "-1", "1.0", "1e3", " 1", "\u0661", "\u00b2", "9" * 19, "1_0"])
def test_only_ascii_digits_are_a_number(text):
    assert whole_number(text) is None
    assert whole_number("0042") == 42
