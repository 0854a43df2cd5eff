"""A LiteRT program with int8 weights: ai-edge-quantizer's recipe of a scale for each output, inputs as they come."""

import contextlib
import io


def to_int8(content: bytes) -> bytes:
    """The program with the weights of its products and convolutions as int8."""
    from ai_edge_quantizer import quantizer, recipe

    made = quantizer.Quantizer(bytearray(content), recipe.dynamic_wi8_afp32())
    # It prints bars and sizes on both streams.
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return bytes(made.quantize().quantized_model)
