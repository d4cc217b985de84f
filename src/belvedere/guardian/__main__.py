"""`python -m belvedere.guardian`: started by the server only."""

import sys

from belvedere.guardian.child import main

main(sys.argv[1:])
