"""The command line: one file a command; `commands.py` lists them, `app.py` prints every error."""
