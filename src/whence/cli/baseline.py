"""Baselines of checks in CI: files that name findings which are known, so that only new ones fail."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from whence.cli.exits import USAGE, Failure

Baseline = Annotated[Path | None, typer.Option(help="Findings in this file do not fail the check.")]
WriteBaseline = Annotated[Path | None, typer.Option(help="Write the present findings as a baseline.")]


def read_baseline(path: Path | None) -> frozenset[str]:
    """Fingerprints of the findings that are known; none without a file.

    Raises:
        Failure: The file is no baseline.
    """
    if path is None:
        return frozenset()
    try:
        return frozenset(json.loads(path.read_text())["findings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failure(USAGE, f"{path} is no baseline: {error}") from None


def write_baseline(path: Path | None, fingerprints: Iterable[str]) -> None:
    """Write the fingerprints of findings, if there is a file to write to."""
    if path is not None:
        path.write_text(json.dumps({"findings": sorted(fingerprints)}, indent=2) + "\n")
