"""Instrumentation for applications. A guest: it never raises into, blocks or keeps alive its host.

``guard`` is the wall that keeps our faults from the application. ``setup`` joins OpenTelemetry; ``uses``, ``outcomes``
and ``runs`` write on spans; ``changes`` reports a change to the server; ``resource`` finds the code version. Nothing
here imports another room, save the attribute names of the contract.
"""
