"""`python -m belvedere.cli` runs the `belvedere` command."""

from belvedere.cli import main

main()
