"""Shipped fakes and builders for tests: clock, ids, spans, incidents."""
