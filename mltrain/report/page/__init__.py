"""`report.html` and `report.md`: a run as one page to read. Only what the run holds: no TensorFlow, no matplotlib."""
