"""`train --seeds`: a run for each seed on the same rows, and what they say together."""
