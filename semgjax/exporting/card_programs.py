"""How the programs of an export of format onnx or litert are run without semgjax, for its card."""

from typing import Any

from semgjax.runtime.program_names import program_name

_ONNX = """Without semgjax, by ONNX Runtime alone, in this folder:

```python
import onnxruntime

offline = onnxruntime.InferenceSession("{offline}")
[log_probs] = offline.run(["log_probs"], {{"emg": emg, "valid": valid}})  # float32 [B, T, {channels}], bool [B, T]
```

T is a multiple of {frame}; memory grows with its square, so cut long recordings into windows.
"""
_ONNX_STEP = """
```python
import json
import numpy as np

parts = json.load(open("model.json"))["state"]
step = onnxruntime.InferenceSession("{step}")
results = [*("next_" + part["name"] for part in parts), "log_probs"]
state = {{part["name"]: np.zeros(part["shape"], part["dtype"]) for part in parts}}
given = {{**state, "emg": emg, "valid": valid}}  # float32 [1, {frame}, {channels}], bool [1, {frame}]
*after, log_probs = step.run(results, given)
state = dict(zip(state, after))  # of the next call
```
"""
_LITERT = """Experimental: LiteRT's converter has no stable interface. Without semgjax, by LiteRT alone, in this folder:

```python
from ai_edge_litert.interpreter import Interpreter

offline = Interpreter("{offline}").get_signature_runner()
log_probs = offline(emg=emg, valid=valid)["log_probs"]  # float32 [1, {samples}, {channels}], bool [1, {samples}]
```
"""
_LITERT_STEP = """
```python
import json
import numpy as np

parts = json.load(open("model.json"))["state"]
step = Interpreter("{step}").get_signature_runner()
state = {{part["name"]: np.zeros(part["shape"], part["dtype"]) for part in parts}}
found = step(**state, emg=emg, valid=valid)  # float32 [1, {frame}, {channels}], bool [1, {frame}]
log_probs, state = found["log_probs"], {{name: found["next_" + name] for name in state}}
```
"""


def run_alone(body: dict[str, Any]) -> str:
    """The section's text, from the body of model.json."""
    window, frame = body["window"], body["frame_samples"]
    total = window["left"] + window["length"] + window["right"]
    named = {
        "channels": sum(body["band"]["rings"]),
        "frame": frame,
        "samples": -(-total // frame) * frame,
        "offline": program_name("offline", body),
        "step": program_name("step", body),
    }
    whole, one = (_ONNX, _ONNX_STEP) if body["format"] == "onnx" else (_LITERT, _LITERT_STEP)
    return (whole + (one if body["streams"] else "")).format(**named)
