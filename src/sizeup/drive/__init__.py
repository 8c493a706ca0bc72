"""Other engines with a plan's settings: started, measured and stopped where they are installed, otherwise what to type."""
