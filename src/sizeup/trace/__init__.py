"""Training, proved: the libraries' own code runs one step on tensors without numbers, and every live byte is counted."""
