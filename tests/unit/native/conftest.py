"""Where the compiled engine is missing only ``test_presence`` runs, which says whether that is as it should be."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("whence._native") else ["test_[!p]*.py"]
