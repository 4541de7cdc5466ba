"""HTTP API: one module per noun, one table from error to status."""

from whence.api.app import create_app

__all__ = ["create_app"]
