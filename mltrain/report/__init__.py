"""What people see of a run: the terminal, the summary in words, the plots."""
