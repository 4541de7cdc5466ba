"""Values that every room shares: references, entities, relations, counts, changes, answers.

Pure: no I/O, no clock, no randomness. Times are UTC: ``_ns`` since the epoch for instants, ``_s`` for bucket starts.
"""
