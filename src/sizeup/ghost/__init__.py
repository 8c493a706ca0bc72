"""Ghosts: model files with the true header and shapes and none of the weights, for the engine to plan with."""
