"""The parameters of an export of format safetensors or stablehlo, as numpy arrays by name."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors

from semgjax.errors import InputError
from semgjax.runtime.about import check_format, read_about

TENSORS = "params.safetensors"


@dataclass(frozen=True, eq=False)
class Tensors:
    """What an export holds.

    Attributes:
        about: the content of model.json.
        params: arrays by name, such as "layers/expand/kernel".
    """

    about: dict[str, Any]
    params: dict[str, np.ndarray]


def load(folder: Path) -> Tensors:
    """The parameters of an export, checked.

    Raises:
        InputError: as `semgjax.runtime.about.read_about`, or another format ("wrong-schema").
    """
    about = read_about(folder)
    check_format(about, folder, "safetensors", "stablehlo")
    return Tensors(about, read_tensors(folder / TENSORS))


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a safetensors file, in sorted order.

    Raises:
        InputError: no such file ("no-file"), one that cannot be read ("unreadable"), or one that is not of this format,
            cut off, or of a type that numpy lacks ("damaged").
    """
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in sorted(file.keys())}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file (expected tensors in the format safetensors)", "no-file") from None
    except (safetensors.SafetensorError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: cannot be read as safetensors ({error}); write it again", "damaged") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}", "unreadable") from None
