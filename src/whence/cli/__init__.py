"""The ``whence`` command."""


def main() -> None:
    """Entry point."""
