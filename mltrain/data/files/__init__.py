"""Files of every format, read as columns."""
