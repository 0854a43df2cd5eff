"""Names of the program files of exports of formats onnx and litert."""

from typing import Any, Literal

_ENDING = {"onnx": "onnx", "litert": "tflite"}


def program_name(program: Literal["offline", "step"], about: dict[str, Any]) -> str:
    """offline.onnx, step.int8.tflite, ...

    Args:
        about: the content of model.json, or its members "format" and "int8".
    """
    return f"{program}{'.int8' if about.get('int8') else ''}.{_ENDING[about['format']]}"
