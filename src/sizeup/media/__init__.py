"""Pictures, PDFs, recordings and films: what their headers say, and how many tokens each family of models makes of them.

`kind` and `looked` touch files; `rules` are formulas over what `looked` found. Nothing here decodes a picture or a film.
"""

from __future__ import annotations

from .kind import kind
from .look import looked
from .medium import Film, Medium, Pages, Pdf, Picture, Recording

__all__ = ["Film", "Medium", "Pages", "Pdf", "Picture", "Recording", "kind", "looked"]
