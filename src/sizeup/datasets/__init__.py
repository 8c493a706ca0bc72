"""Training data: what lies in a file of examples, and how many tokens it is to a model."""
