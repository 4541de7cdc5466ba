"""Made-up systems that break, for measuring the ranking: ``python -m tests.bench.simulator --help``.

A case is drawn from a seed: a system of services, models and data, its traffic, a day of changes, and at most one
fault. What leaves it is only what such a system would send: OTLP requests, OpenLineage events, change posts, webhooks.
``story`` draws a case, ``traffic`` and ``feeds`` tell it to the outside, ``delivery`` brings that to a real whence, and
``judging`` compares the answer with what was hidden.
"""
