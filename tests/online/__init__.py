"""Reading online and pulling, against servers on this machine that behave, and misbehave, as the real ones do."""
