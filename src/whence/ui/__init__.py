"""Pages. They know the API by its JSON alone, ask it like any other client, and load nothing from elsewhere."""

from whence.ui.routes import page_routes

__all__ = ["page_routes"]
