"""`board`: pages over a folder of runs, for the browser of this machine. Reads runs and writes nothing."""
