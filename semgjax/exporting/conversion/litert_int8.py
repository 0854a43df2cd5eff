"""A LiteRT program with int8 weights, a scale for each output, by ai-edge-quantizer."""

import contextlib
import io


def to_int8(content: bytes) -> bytes:
    """The program with the weights of its products and convolutions as int8.

    Products round their inputs as they come, with a scale for each row. Convolutions would have one scale for the whole
    window, so that a frame depended on later ones: theirs stay float.
    """
    from ai_edge_quantizer import quantizer
    from ai_edge_quantizer.qtyping import TFLOperationName

    made = quantizer.Quantizer(bytearray(content))
    made.add_dynamic_config(".*", TFLOperationName.FULLY_CONNECTED, 8)
    made.add_weight_only_config(".*", TFLOperationName.CONV_2D, 8)
    # It prints bars and sizes on both streams.
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return bytes(made.quantize().quantized_model)
