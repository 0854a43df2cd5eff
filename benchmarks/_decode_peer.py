"""The peers of the benchmark of decoding: flashlight-text where it is installed, else the plain search."""

import importlib.util
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from semgjax.data.keys import BLANK, KEY_NAMES
from semgjax.decode.arpa import write_arpa
from semgjax.decode.backoff import NgramModel, compile_model
from semgjax.decode.beam_options import BeamOptions
from semgjax.decode.beam_reference import beam_search_reference

FLASHLIGHT = "flashlight-text, without backspace and ends of words"
PLAIN = "flashlight-text is not installed: against our plain Python search"


def peer_of(
    options: BeamOptions, model: NgramModel, emissions_TxK: np.ndarray
) -> tuple[Callable[[], object], int, str]:
    """A call that decodes, for how many frames, and the name of the peer."""
    if importlib.util.find_spec("flashlight") is None:
        few = min(len(emissions_TxK), 32)
        automaton = compile_model(model)
        return lambda: beam_search_reference(emissions_TxK[:few], options, automaton), few, PLAIN
    from flashlight.lib.text.decoder import CriterionType, LexiconFreeDecoder, LexiconFreeDecoderOptions
    from flashlight.lib.text.decoder.kenlm import KenLM
    from flashlight.lib.text.dictionary import Dictionary

    with tempfile.TemporaryDirectory() as folder:
        write_arpa(Path(folder) / "model.arpa", model)
        keys = Dictionary([*KEY_NAMES, "<blank>"])
        language = KenLM(str(Path(folder) / "model.arpa"), keys)
    decoder = LexiconFreeDecoder(
        LexiconFreeDecoderOptions(
            beam_size=options.beam,
            beam_size_token=options.top,
            beam_threshold=1e6,  # as many hypotheses as ours
            lm_weight=options.lm_weight,
            sil_score=0.0,
            log_add=True,
            criterion_type=CriterionType.CTC,
        ),
        language,
        keys.get_index("Key.space"),
        BLANK,
        [],
    )
    values = np.ascontiguousarray(emissions_TxK, np.float32)
    return lambda: decoder.decode(values.ctypes.data, *values.shape), len(values), FLASHLIGHT
