"""Decoders that stream, from an export: by JAX, and by the runtime of a format."""

import dataclasses

import numpy as np
import pytest

from semgjax.api.live_decoders import live_decoder
from semgjax.api.models import init, load
from semgjax.data.batching.windows import WindowSpec
from semgjax.evaluate.decoders import Decoder
from semgjax.exporting.export_folder import write_export
from semgjax.runtime import open_export
from semgjax.streaming.live import run_live
from tests.refused import refused
from tests.streaming.live_parts import SMALL, ListSource, signal, talkative, text_of


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live") / "export"
    config, params = talkative(SMALL)
    write_export(config, WindowSpec(), SMALL, params, {"preset": "talkative"}, folder, kind="stablehlo")
    return folder


def test_the_runtime_of_a_format_gives_the_text_that_jax_gives(export):
    emg, texts = signal(10, SMALL), []
    for of_jax in (True, False):
        model = load(export) if of_jax else dataclasses.replace(load(export), runtime=open_export.load(export))
        decoder, updates = live_decoder(model), []
        assert (decoder.band, decoder.late) == (SMALL, talkative(SMALL)[0].emission_delay // decoder.feed.stride)
        assert decoder.feed.block == (32 if of_jax else 1)
        run_live(ListSource([emg[at : at + 25] for at in range(0, len(emg), 25)], SMALL), decoder, [updates.append])
        texts.append(text_of(updates))
        np.testing.assert_array_equal(np.concatenate([one.emg_TxC for one in updates]), emg)
    assert texts[0] == texts[1] != ""


def test_a_decoder_that_sees_ahead_and_a_model_of_other_keys_are_refused(export, tmp_path):
    with refused("conflict", "cannot stream"):
        live_decoder(init("tds"))
    (tmp_path / "words.arpa").write_text(
        "\\data\\\nngram 1=4\n\n\\1-grams:\n-1 <s>\n-1 </s>\n-1 <unk>\n-1 a\n\n\\end\\\n"
    )
    with refused("conflict", "words.arpa"):
        live_decoder(export, Decoder("beam", tmp_path / "words.arpa"))
