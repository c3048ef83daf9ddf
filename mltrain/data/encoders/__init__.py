"""What was fitted on the training rows: each encoder turns one raw column into numbers, and is plain data itself."""
