"""Quality as facts: which rows may ship, and the fits over them. Run: python -m tools.quality FOLDER, with the two source tables in FOLDER."""
