"""`/api/v1/rooms`: the list of rooms in the settings, for those who have a session.

Who may enter which of them, only the rooms themselves know: the page asks each.
"""

from litestar import get

from belvedere.gateway.dependencies import InjectedDependencies
from belvedere.gateway.listed_rooms import ListedRoom
from belvedere.gateway.openapi import problems


@get("/api/v1/rooms", responses=problems(401, 403))
async def listing(dependencies: InjectedDependencies) -> list[ListedRoom]:
    """What the rooms are called and where they are, in the order of the settings."""
    return list(dependencies.rooms)


ROUTES = (listing,)
