"""Receivers (OTLP over HTTP and gRPC), the spool, and the loop that folds and writes."""
