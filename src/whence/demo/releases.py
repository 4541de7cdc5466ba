"""Releases of the shop's services: copies of ``examples/shop`` in which one file was edited."""

from __future__ import annotations

import shutil
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple


class Edit(NamedTuple):
    """A piece of text in a service's file, and what it becomes."""

    old: str
    new: str


EDITS: Mapping[tuple[str, str], Edit] = MappingProxyType(
    {
        ("storefront", "tidy"): Edit("FREE_SHIPPING_VISITS = 8", "FREE_SHIPPING_VISITS = 9"),
        ("features", "tidy"): Edit('"no such user"', '"unknown user"'),
        ("payment", "tidy"): Edit("PROVIDER_TIMEOUT_SECONDS = 2.0", "PROVIDER_TIMEOUT_SECONDS = 1.5"),
        ("payment", "lost currency"): Edit('"GBP": 100, "JPY": 1}', '"GBP": 100}'),
    }
)
"""By service and flavour. One of them forgets that there are yen."""


def shop_folder() -> Path:
    """Where the shop's sources lie: in the checkout, or where the package put them.

    Raises:
        FileNotFoundError: Neither place has them.
    """
    checkout = Path(__file__).parents[3] / "examples/shop"
    installed = Path(sysconfig.get_path("data")) / "share/whence/examples/shop"
    for folder in (checkout, installed):
        if (folder / "storefront.py").is_file():
            return folder
    raise FileNotFoundError(f"the shop's sources are neither in {checkout} nor in {installed}")


def make_release(folder: Path, service: str, flavour: str = "") -> Path:
    """Copy the sources into a new folder and edit one of them; gives back the service's file.

    Raises:
        ValueError: The edit does not fit the sources any more.
    """
    shutil.copytree(shop_folder(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / f"{service}.py"
    if flavour:
        edit, text = EDITS[service, flavour], file.read_text()
        if text.count(edit.old) != 1:
            raise ValueError(f"{service}.py has no single {edit.old!r}")
        file.write_text(text.replace(edit.old, edit.new))
    return file
