"""Finished runs beside each other: read from their directories, paired on the same rows, as text and as a page."""
