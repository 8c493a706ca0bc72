"""How much a client may send, before anything of it is read."""

from __future__ import annotations

LONGEST_QUERY = 8192
"""Characters of a query string."""
LARGEST_QUESTION = 4 << 20
"""Bytes of a question that holds documents."""
LARGEST_BODY = 64 << 20
"""Bytes of the start of a model file."""
