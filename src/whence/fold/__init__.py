"""Spans to GraphDelta: pairing, exposure, expiry. Pure: no I/O, no clock."""
