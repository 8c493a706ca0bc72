"""Many models x mixes x contexts x cache types x machines at once, from a table to tables.

Models of one shape and machines of one memory are one row each in the answer, with keys to join them: hundreds of thousands of
repositories share a few thousand shapes. The accounting is the engine's own (`sizeup.columns`); nothing is estimated anew here.
"""
