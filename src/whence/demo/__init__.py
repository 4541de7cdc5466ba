"""``whence demo``: a small shop of real processes breaks in one of six ways, and whence is asked what changed.

``plan`` decides what is shipped, ``shop`` ships it, ``traffic`` buys there and notices when it hurts, ``server`` runs
whence and asks it, ``judge`` compares the answer with the plan, ``report`` shows it; ``stage`` does all that in order.
whence itself sees spans, lineage events and reported changes only.
"""

from whence.demo.runner import run_demo as run_demo

__all__ = ["run_demo"]
