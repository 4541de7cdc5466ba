"""One module for each format of a file that states dependencies; ``read`` tells them apart and reads them."""

from whence.declare.formats.recognise import Reading, is_named_so, may_state, read_files

__all__ = ["Reading", "is_named_so", "may_state", "read_files"]
