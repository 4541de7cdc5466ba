"""Subgraph and counts to a ranked answer. Pure: no I/O, no clock, no randomness."""
