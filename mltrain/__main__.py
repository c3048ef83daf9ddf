"""`python -m mltrain`: the same as the command `mltrain`."""

from mltrain.cli.app import main

main()
