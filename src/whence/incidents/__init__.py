"""The life of an incident: a pure fold over what was told of it, and how its state is told to others.

What happened is kept, one document an event; an incident is what the events add up to. So a delivery that comes twice
adds nothing, and several writers never overwrite each other.
"""
