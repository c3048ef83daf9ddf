"""`report.html` and `report.md`: a run as one page to read. No TensorFlow and no matplotlib: only what the run holds."""
