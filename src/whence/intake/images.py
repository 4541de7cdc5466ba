"""Container images: which of several is the one of an application, and which version of it an address names."""

from __future__ import annotations

from collections.abc import Sequence

from whence.model.refs import is_mutable_version


def image_version(image: str) -> str | None:
    """Digest, else tag; None where it names no version that stays (``latest``, nothing)."""
    address, _, digest = image.partition("@")
    if digest:
        return digest.removeprefix("sha256:")
    _, _, tag = address.rpartition("/")[2].partition(":")
    return tag if tag and not is_mutable_version(tag) else None


def own_image(name: str, images: Sequence[str]) -> str | None:
    """The image that bears the name of the application; a single one is its own whatever its name."""
    named = [image for image in images if image_name(image) == name]
    if len(named) == 1:
        return named[0]
    return images[0] if len(images) == 1 else None


def image_name(image: str) -> str:
    """The last step of the repository, without tag and digest."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]
