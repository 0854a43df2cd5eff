"""Whatever is in a name: YAML reads it back as itself, and a pasted line runs nothing that is hidden in it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from launch.gke import render
from launch.quote import local_path, shell_line, yaml_list, yaml_text, yaml_word
from semgjax.errors import InputError
from semgjax.sweep.plan import plan_sweep
from tests.launch.test_gke import target
from tests.runs import ROOT
from tests.sweep.plans import SPLIT, config_of, planned

AWKWARD = [
    "plain", "true", "null", "yes", "no", "on", "y", "n", "1e3", "0123", "0x1f", "1_000", "12:30:45", "~", "",
    "2026-11-25", ".inf", ".NaN", "- a", "a: b", "a #b", "*a", "&a", "!a", "{a}", "[a]", "%a", "@a", "`a`", "'a'",
    '"a"', "a\\b", " a ", "a\nb", "a\rb", "a\tb", "\x00\x07\x1b\x7f\x85\x9f", "\u2028\u2029\ufeff", "\u202e\u2066",
    "\U0001f600 \U0001d538", "\U000e0001", "用户", "$(touch X)", "`touch X`", "${X}", "---", "...", "<<", "=",
]  # fmt: skip


@pytest.mark.parametrize("text", AWKWARD)
def test_yaml_reads_back_what_was_written(text):
    assert yaml.safe_load(f"a: {yaml_text(text)}\n") == {"a": text}
    assert yaml.safe_load(f"a: {yaml_word(text)}\n") == {"a": text}
    assert yaml.safe_load(f"a: {yaml_list([text, 'b', text])}\n") == {"a": [text, "b", text]}
    assert not any("\ud800" <= character <= "\udfff" for character in yaml_text(text)) and "\\ud8" not in yaml_text(
        text
    )


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(InputError) as caught:
        yaml_text("a\udcff")
    assert caught.value.code == "bad-encoding"


@pytest.mark.parametrize("text", [word for word in AWKWARD if "\x00" not in word] + ["\udcff\n", "it's\n", "; rm -r x"])
def test_bash_gets_every_word_as_it_is_and_runs_nothing(text, tmp_path):
    line = shell_line(["printf", "%s", text])
    assert line.isprintable()
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, env={"PATH": os.environ["PATH"]})
    assert done.stdout == os.fsencode(text) and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("word", ["true", "null", "yes", "no", "on", "off", "y", "n"])
def test_names_that_yaml_would_take_for_something_else_are_quoted(word, tmp_path):
    sweep = planned(tmp_path, config_of("ladder-16"))
    files = render(target(sweep.folder, namespace=word, queue=word, service_account=word))
    (jobset,) = yaml.safe_load_all(files["trials-0.yaml"])
    assert jobset["metadata"]["namespace"] == jobset["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == word
    job = jobset["spec"]["replicatedJobs"][0]["template"]["spec"]
    assert job["template"]["spec"]["serviceAccountName"] == word
    _, cluster, local = yaml.safe_load_all(files["queue.yaml"])
    assert cluster["metadata"]["name"] == local["spec"]["clusterQueue"] == local["metadata"]["namespace"] == word


def test_a_sweeps_name_of_any_letters_is_in_the_annotation_as_it_is(tmp_path):
    name, config = "\U0001f600 用户: 'n' \\ #1", config_of("ladder-16")
    sweep = plan_sweep(name, [config], tmp_path / "sessions", {config.data: SPLIT}, tmp_path / "sweep")
    (jobset,) = yaml.safe_load_all(render(target(sweep.folder))["trials-0.yaml"].encode())
    assert jobset["metadata"]["annotations"]["semgjax/sweep"] == name


@pytest.mark.parametrize("module", ["gke", "tpu_vm"])
@pytest.mark.parametrize(
    "evil", ["$(touch X)", "`touch X`", "a;touch X", "a'$(touch X)'", 'a"$(touch X)"', "a\ntouch X"]
)
def test_printed_lines_can_be_pasted(module, evil, tmp_path):
    sweep = planned(tmp_path / evil, config_of("ladder-16")).folder
    place = f"gs://lab/{evil}".replace("\n", " ")
    words = [sys.executable, "-m", f"launch.{module}", str(sweep), "--topology", "v5e-8", "--place", place]
    words += ["--data", "gs://lab/s", "--out", str(tmp_path / "out" / evil)]
    words += ["--image", evil] if module == "gke" else ["--package", "semgjax==0.1.0", "--zone", "z"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("gcloud", "kubectl"):
        (tools / name).write_text('#!/bin/sh\nprintf "%s|" "$@" >>"$SAID"\n')
        (tools / name).chmod(0o755)
    for path in Path(tmp_path / "out" / evil).glob("create.sh"):
        path.write_text("#!/bin/sh\n")
    lines = [line for line in done.stdout.splitlines() if not line.startswith(("(", "1 trials"))]
    text = "\n".join(lines)
    assert subprocess.run(["bash", "-n"], input=text, text=True).returncode == 0
    here = tmp_path / "here"
    here.mkdir()
    environment = {"PATH": f"{tools}:{os.environ['PATH']}", "SAID": str(tmp_path / "said")}
    subprocess.run(["bash"], input=text, text=True, cwd=here, env=environment, check=True)
    assert list(here.iterdir()) == []
    assert f"{sweep}|{place}|" in (tmp_path / "said").read_text()


def test_a_path_is_never_an_option():
    assert [local_path(path) for path in ("-x", "x", "/x")] == ["./-x", "x", "/x"]
