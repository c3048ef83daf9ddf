"""Other frameworks, written by hand, each in a process of its own that runs one epoch when it is told to."""
