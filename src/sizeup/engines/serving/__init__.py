"""What vLLM and SGLang have in common: checkpoints of 16-bit or quantised tensors, split over ranks, and a pool of cache pages."""
