"""From a jaxpr to an ONNX model."""
