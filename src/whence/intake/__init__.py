"""Other formats (changes, OpenLineage) to GraphDelta. Pure: no I/O, no clock."""
