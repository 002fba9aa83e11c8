"""Webhooks that come in: one file a source, found by itself. It says how a request is signed and what it stands for."""
