"""Asks each room whether it is ready, and serves its own host name and no other; `helm test` runs this in a pod.

Each argument is the address of a room's Service, a space, and the host name of the room, which may be empty.
"""

from __future__ import annotations

import http.client
import json
import sys
from urllib.parse import urlsplit

TIMEOUT_S = 5.0
FOREIGN_HOST = "another.invalid"
MISDIRECTED = 421


def answer(url: str, path: str, host: str) -> tuple[int, bytes]:
    """Status and body of a GET request. Raises OSError and HTTPException."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", address.path.rstrip("/") + path, headers={"Host": host} if host else {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def problems(url: str, host: str) -> list[str]:
    """What is wrong with a room, one line each."""
    try:
        status, body = answer(url, "/readyz", host)
        if status != http.client.OK:
            return [f"is not ready: {status} {body.decode(errors='replace')[:500]}"]
        found = []
        parts = json.loads(body)["parts"]
        print(f"{url}: {', '.join(f'{part} {state}' for part, state in sorted(parts.items()))}")
        if host:
            page, foreign = answer(url, "/", host)[0], answer(url, "/", FOREIGN_HOST)[0]
            if page != http.client.OK:
                found.append(f"does not serve its page as {host}: {page}")
            if foreign != MISDIRECTED:
                found.append(f"answers requests for other host names with {foreign} instead of {MISDIRECTED}")
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException) as error:
        return [f"does not answer: {error!r}"]
    return found


def main(rooms: list[str]) -> int:
    """Check all rooms; returns how many have a problem, 100 at most, because a status has no room for more."""
    bad = 0
    for room in rooms:
        url, _, host = room.partition(" ")
        found = problems(url, host)
        bad += bool(found)
        for problem in found:
            print(f"{url}: {problem}")
    return min(bad, 100)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
