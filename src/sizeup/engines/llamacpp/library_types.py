"""Number formats that a llama.cpp cache may have, with the engine's numbers for them (common/arg.cpp, ggml.h)."""

CACHE_TYPES = {"f16": 1, "f32": 0, "bf16": 30, "q8_0": 8, "q4_0": 2, "q4_1": 3, "iq4_nl": 20, "q5_0": 6, "q5_1": 7}
