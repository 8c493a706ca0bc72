"""Writes docs/guides.md: what guides for newcomers say, beside what comes out of the layers and the facts. Run: python -m tools.guides."""
