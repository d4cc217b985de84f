"""`python -m belvedere.guardian`: only the server starts it."""

import sys

from belvedere.guardian.child import main

main(sys.argv[1:])
