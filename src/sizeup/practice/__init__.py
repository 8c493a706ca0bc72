"""Rehearsing training: a few real steps of a ghost through the emitted TRL script, in a process of its own."""
