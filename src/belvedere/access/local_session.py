"""The session of commands on the house's own computer: a shell there is the house itself.

It has no cookie and no end, is in no list, and only the local socket gives it to a request.
"""

from __future__ import annotations

import math
from typing import Final

from belvedere.access.rights import Role, rights_of_role
from belvedere.access.sessions import Session

LOCAL_SESSION: Final = Session(
    id="local",
    person="local",
    role=Role.OWNER,
    rights=rights_of_role(Role.OWNER) | rights_of_role(Role.RESIDENT),
    ends_at_s=math.inf,
)
