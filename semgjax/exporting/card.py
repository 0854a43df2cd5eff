"""README.md of an export: the card of the decoder, for whoever finds the folder."""

from collections.abc import Iterable
from typing import Any

from semgjax.exporting.card_programs import run_alone
from semgjax.exporting.formats.write_format import PROGRAMS_ONLY
from semgjax.measures import SPLICED, measure_in, rate_in
from semgjax.printable import printable
from semgjax.runtime.about import Format

_LOAD: dict[Format, str] = {
    "orbax": "",
    "safetensors": """Without semgjax, the parameters by name:

```python
from safetensors.numpy import load_file

params = load_file("params.safetensors")
```
""",
    "stablehlo": """Without semgjax, by JAX alone, in this folder:

```python
import json
import numpy as np
from jax import export
from safetensors.numpy import load_file

params = load_file("params.safetensors")
offline = export.deserialize(bytearray(open("offline.stablehlo", "rb").read()))
log_probs = offline.call(params, emg, valid)  # float32 [B, T, {channels}], bool [B, T]; T a multiple of {frame}
```
{step}
A program is promised to be read by the JAX of about half a year later. The parameters and `model.json` stay readable.
""",
}
_STEP = """
```python
about = json.load(open("model.json"))
step = export.deserialize(bytearray(open("step.stablehlo", "rb").read()))
state = [np.zeros(part["shape"], part["dtype"]) for part in about["state"]]
*state, log_probs = step.call(params, *state, emg, valid)  # float32 [1, {frame}, {channels}], bool [1, {frame}]
```
"""


def card(body: dict[str, Any]) -> str:
    """The card's text, from the body of model.json without its hashes."""
    source, costs = body["source"], body["costs"]
    parts = [
        f"# {source.get('preset', 'decoder')}: a decoder of surface EMG",
        _what(body),
        "## Data and scores",
        "\n\n".join([_data(source), *_scores(source)]),
        "## Time and size",
        _table(_size(body, costs)),
        "## Origin",
        _table(_origin(body)),
        "## Use",
        "With semgjax, in the folder above this one:\n\n```python\nimport semgjax as sj\n\n"
        'decoder = sj.load("FOLDER")\ntext = decoder.decode(emg)  # float32 [samples, '
        f"{body['model']['channels']}] at {body['sample_rate']:g} Hz\n```",
        _load(body),
    ]
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _what(body: dict[str, Any]) -> str:
    band = body["band"]
    rings = " + ".join(map(str, band["rings"]))
    kinds = (
        f"{len(body['keys'])} keys"
        if band["classes"] is None
        else "the classes " + ", ".join(map(printable, band["classes"]))
    )
    return (
        f"It takes {rings} electrodes at {band['rate']:g} Hz and gives, every {body['frame_samples']} samples, "
        f"natural-log probabilities of {kinds} and of the CTC blank (class {body['blank']}). {body['params']:,} "
        f"parameters; a {body['source'].get('kind', 'given')} decoder; format {body['format']}"
        f"{', weights as int8' if body['int8'] else ''}."
    )


def _data(source: dict[str, Any]) -> str:
    simulated = source.get("simulated")
    kind = {True: "simulated sessions", False: "recorded sessions", None: "sessions of unknown origin"}[simulated]
    if "users" not in source:
        return f"Trained on {kind}."
    text = f"Trained on {source['hours']:.3g} h of {kind} of {source['users']} users."
    if simulated:
        text += " No number below says anything about real people."
    if source.get("spliced"):
        text += f" They are {SPLICED}, and so are the scores."
    return text


def _scores(source: dict[str, Any]) -> Iterable[str]:
    rows = source.get("scores")
    if not rows:
        return ["No scores are recorded."]
    words = measure_in(rows[0]).words
    head = ("part", "decoder", "average", "users", f"{words} (%)")
    cells = [
        (row["split"], row["decoder"], row["averaging"], str(row.get("users", "")), _percent(rate_in(row)))
        for row in rows
    ]
    return [_grid(head, cells)]


def _size(body: dict[str, Any], costs: dict[str, Any]) -> Iterable[tuple[str, str]]:
    ahead = body["look_ahead_samples"]
    yield "look-ahead", "the whole signal" if ahead is None else f"{ahead} samples"
    yield "emission delay", f"{1000 * body['emission_delay_seconds']:g} ms after the key press or event"
    yield "files", f"{body['bytes']:,} bytes, without this card and model.json"
    for name, words in (("offline", "the whole signal"), ("window", "a window again for every frame")):
        yield f"{words}, per second of signal", _rate(costs, name)
    if body["streams"]:
        yield "a stream, per second of signal", _rate(costs, "stream")
        yield "state of a stream", f"{body['state_bytes']:,} bytes"
    else:
        yield "stream", f"no: {body['no_stream']}"
    yield "differs from JAX by at most", _parity(body["parity"])


def _origin(body: dict[str, Any]) -> Iterable[tuple[str, str]]:
    source = body["source"]
    yield "licence of the parameters", source.get("licence") or "not stated: ask who trained them"
    for name, words in (("config", "run"), ("data", "data and split")):
        if name in source:
            yield words, f"`{source[name]}`"
    for number, teacher in enumerate(source.get("teachers", []), 1):
        yield f"teacher {number}", _relative(teacher)
    if "base" in source:
        yield "made one person's, from", _relative(source["base"])
    if "init" in source:
        yield "trained further, from", _relative(source["init"])
    if "imported" in source:
        yield "imported from", source["imported"]
    yield "parameters, SHA-256", f"`{body['params_sha256']}`"


def _relative(one: dict[str, Any]) -> str:
    """A teacher, or the decoder that a run began with."""
    size = f", {one['params']:,} parameters" if "params" in one else ""
    rates = [f"{row['split']} {_percent(rate_in(row))} %" for row in one.get("scores") or () if _macro(row)]
    scored = f", {measure_in(one['scores'][0]).words} {', '.join(rates)}" if rates else ""
    return f"{one.get('preset', 'run')}{size}{scored}, `{one.get('config', 'unknown')}`"


def _load(body: dict[str, Any]) -> str:
    if body["format"] in PROGRAMS_ONLY:
        return run_alone(body)
    named = {"channels": body["model"]["channels"], "frame": body["frame_samples"]}
    step = _STEP.format(**named) if body["streams"] else ""
    text = _LOAD[body["format"]]
    return text.format(**named, step=step) if body["format"] == "stablehlo" else text


def _rate(costs: dict[str, Any], name: str) -> str:
    operations, moved = costs[f"{name}_operations"], costs[f"{name}_bytes"]
    return f"{operations / 1e6:.4g} million operations in matrix products, {moved / 1e6:.4g} MB"


def _parity(parity: dict[str, Any]) -> str:
    step = "" if parity["step"] is None else f", step by step {parity['step']:.2g}"
    bound = f"; {parity['relative']:.2g} of those below -1" if "relative" in parity else ""
    moved = f"; int8 moves {100 * parity['moved']:.2g} % of the probability" if "moved" in parity else ""
    return f"{parity['offline']:.2g}{step} in log probabilities, on {parity['on']}{bound}{moved}"


def _macro(row: dict[str, Any]) -> bool:
    return bool(row.get("averaging") == "macro")


def _percent(rate: float | None) -> str:
    return "none" if rate is None else f"{rate:.2f}"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return _grid(("what", "value"), rows)


def _grid(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    """Text that stays in its cell."""
    return printable(" ".join(str(text).replace("|", "\\|").split()))
