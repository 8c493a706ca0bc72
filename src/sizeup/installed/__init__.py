"""What is already on this machine: every tool's store, each file counted once, what fits, how fast it loads, what could go."""
