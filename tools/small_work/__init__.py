"""What small models are good for on a small machine: predicted for a mini PC, and done by real ones. Makes docs/small-models.md."""
