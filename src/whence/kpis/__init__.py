"""Figures of the three pillars, each a sum over facts that can be looked at. Pure."""
