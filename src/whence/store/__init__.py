"""The store contract and the stores behind it."""
