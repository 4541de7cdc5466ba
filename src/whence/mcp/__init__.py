"""whence for agents: a few task-shaped tools over the API, by stdio or streamable HTTP.

The numbers are the API's; an agent may explain them and cannot change them. Needs the extra ``mcp``.
"""
