"""`semgjax check transfer` on simulated sessions: its files, its numbers and its refusals."""

import json
import math

import pytest

from semgjax.api.transfer import check_transfer
from semgjax.cli.main import main
from semgjax.errors import InputError
from semgjax.files import read_json
from semgjax.transfer.last_loss import last_loss


def falls_and_rises(config, corpus, folder):
    """A real run, and then a loss whose best rate is 3e-3 at width 8 and 6e-3 at width 16."""
    assert math.isfinite(last_loss(config, corpus, folder))
    width = int(config.preset.removeprefix("keys-"))
    return 2.0 + math.log(config.optimizer.learning_rate / (3e-3 * width / 8)) ** 2


@pytest.mark.slow  # a minute: three small networks and six runs are compiled
def test_a_check_writes_its_figure_and_numbers(sessions, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("semgjax.api.transfer.last_loss", falls_and_rises)
    words = ["--widths", "8", "16", "--depths", "3", "6", "--steps", "2", "--batch", "2", "--seeds", "0"]
    more = ["--rates", "1e-3", "4e-3", "1.6e-2", "--rate-steps", "5"]
    out = tmp_path / "out"
    assert main(["check", "transfer", "--data", str(sessions), "--out", str(out), *words, *more, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    kept = read_json(out / "transfer.json", "semgjax.transfer", 1)
    assert {name: kept[name] for name in printed} == printed
    made = {"family": "keys", "seeds": [0], "batch": 2, "steps": 2, "rate_steps": 5, "learning_rate": 1e-3}
    assert {name: kept[name] for name in made} == made
    assert [one["width"] for one in kept["widths"]] == [8, 16]
    assert [one["depth"] for one in kept["depths"]] == [3, 6]
    for axis in ("width", "depth"):
        assert set(kept["spreads"][axis]) == {"third of the layers", "two thirds", "last layer", "logits"}
        assert min(kept["spreads"][axis].values()) >= 1.0
    assert len(kept["widths"][0]["last layer"]["size"]) == 3 and kept["widths"][0]["last layer"]["moved"][0] == 0.0
    assert [one["width"] for one in kept["rates"]] == [8, 16]
    assert [len(seed) for seed in kept["rates"][0]["tried"]] == [3]
    assert [one["rate"] for one in kept["rates"]] == pytest.approx([3e-3, 6e-3])
    assert kept["rates_hold"] is True and [one["edge"] for one in kept["rates"]] == [False, False]
    assert (out / "transfer.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"widths": (16,)}, "bad-value"),
        ({"widths": (16, 32, 16)}, "bad-value"),
        ({"depths": (0, 3)}, "bad-value"),
        ({"steps": 0}, "bad-value"),
        ({"batch": 0}, "bad-value"),
        ({"learning_rate": math.nan}, "bad-value"),
        ({"seeds": ()}, "bad-value"),
        ({"seeds": (0, 1, 0)}, "bad-value"),
        ({"seeds": (-1,)}, "bad-value"),
        ({"rates": (1e-3, 2e-3)}, "bad-value"),
        ({"rates": (1e-3, 2e-3, 1e-3)}, "bad-value"),
        ({"rates": (1e-3, 2e-3, math.inf)}, "bad-value"),
        ({"rates": (1e-3, 2e-3, 4e-3), "rate_steps": 0}, "bad-value"),
        ({"family": "none"}, "unknown-name"),
        ({"widths": (16, 17)}, "bad-value"),
    ],
)
def test_bad_input_is_refused_before_anything_is_trained(changes, code, sessions, tmp_path):
    with pytest.raises(InputError) as error:
        check_transfer(sessions, out=tmp_path / "out", **changes)
    assert error.value.code == code and not (tmp_path / "out").exists()
