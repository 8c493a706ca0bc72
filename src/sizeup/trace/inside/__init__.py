"""What runs in the child process alone: these modules need torch."""
