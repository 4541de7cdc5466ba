"""Replays published incidents into a running whence over its public interfaces, asks it what changed, and scores it.

Run it from the checkout: ``uv run python -m tests.bench.replay --set nezha``. What goes in is OTLP, posted changes and
lineage, and what comes out is the answer to ``POST /api/v1/investigations``; no ranking looks at anything else.
"""
