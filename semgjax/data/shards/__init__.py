"""Shards: sessions in our own form for streaming, and the ingest that makes them."""
