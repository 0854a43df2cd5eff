"""The page of a live decoder: signal, running text, latency and lost samples in a browser of the same machine."""
