"""A draft of a postmortem from what was frozen: the same documents give the same draft, today and in a year.

It fills in what was measured and leaves to people what only they can write. It names no person.
"""

from whence.postmortem.draft import DraftJson, Sources, draft
from whence.postmortem.render import check_template, html, markdown

__all__ = ["DraftJson", "Sources", "check_template", "draft", "html", "markdown"]
