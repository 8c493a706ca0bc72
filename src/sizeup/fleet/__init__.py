"""Many machines: what a cluster has, which models go where, and the files that its own scheduler runs. Never a scheduler of ours."""
