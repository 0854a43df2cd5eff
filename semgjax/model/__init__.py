"""Networks: configurations, the transformer, the baseline, and which form of an operation a device gets."""
