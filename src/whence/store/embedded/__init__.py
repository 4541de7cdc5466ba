"""The embedded store, on SQLite from the standard library."""
