"""The profile under which `make soak` has hypothesis look for much longer than `make test` does."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("soak", max_examples=5_000, deadline=None, print_blob=True)
