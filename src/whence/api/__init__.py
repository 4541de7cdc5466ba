"""HTTP API: one module per noun, one table from error to status."""
