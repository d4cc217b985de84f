"""`python -m belvedere.cli` is the command `belvedere`."""

from belvedere.cli import main

main()
