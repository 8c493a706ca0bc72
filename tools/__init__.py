"""Scripts that refresh shipped data from public data sets; none is part of the package."""
