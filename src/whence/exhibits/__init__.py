"""What goes with an answer into its frame: the series, the piece of the graph and the harm that people want to see.

Pure. Made once, as the answer is, from the same case; kept beside it, so that pictures and postmortems stay as they
were. Everything here is ready for JSON.
"""

from whence.exhibits.build import ExhibitsJson, exhibits_of

__all__ = ["ExhibitsJson", "exhibits_of"]
