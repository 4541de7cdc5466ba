"""Instrumentation for applications. A guest: it never raises into, blocks or keeps alive its host."""
