"""The `belvedere` command: one module per subcommand, and one place that turns errors into exit statuses."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cyclopts import App
from cyclopts.exceptions import CycloptsError

from belvedere import __version__
from belvedere.errors import OwnerError

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE_STATUS = 2  # what shells expect of a command that was called wrongly; also for invalid configuration
INTERRUPTED_STATUS = 130  # 128 and the number of SIGINT, as shells report it

# Help stands here rather than in docstrings, because `belvedere --help` must not import every command to list them.
# The list shows the first paragraph, a command's own help all of it.
COMMANDS = {
    "demo": """Try Belvedere with a simulated room and head.

    Everything else is real: the server, the page, the video and the Bluetooth code. Prints a link and opens it.""",
    "serve": """Stream the camera and drive the head.

    Prints a link that lets one browser in. Stop with Ctrl-C; the head is told to stop first.""",
    "setup": """Install Belvedere as a service, or remove it.

    Makes a user, a settings file and a confined service of systemd, starts it, and prints the owner's link. Asks for
    what was not given, where there is a terminal. Repeating it changes nothing but after an upgrade. Needs root.""",
    "doctor": """Check what this computer lacks, and how to fix it.

    Checks Bluetooth, the head's units and their links, camera, encoder, clock, disk, memory and power. A unit is never
    sent anything but its stop command. Exits with status 1 if a check failed. With --from-outside it checks what
    visitors get at a public address instead.""",
    "scan": """List Bluetooth devices nearby; mark your head's units.

    Updates a table until Ctrl-C. Where the output is not a terminal, prints a line per device for 10 seconds.""",
    "inspect": """List one device's services and values, read-only.

    Ends with the lines that a profile needs in order to reach this device.""",
    "snoop": """Show what a phone's Bluetooth log holds, and decode it.

    Lists devices, connections and the values sent over each handle, and says what the bytes of the head's commands
    seem to mean, with confidence and evidence. Tables show local time.""",
    "probe": """Learn how a unit is driven, by small trial moves.

    Tests the stop first, then one thing at a time, slowly, with a stop after each move. You say what you see, and any
    key stops the unit. Stay beside it. The results are written into the profile.""",
    "backup": """Write the store and the settings into one file.

    Also while the server runs. Passwords and keys are left out unless --with-secrets is given. Whoever can read the
    file knows who may come in, and who visited.""",
    "restore": """Put a backup back; the server must be stopped.

    What is replaced is kept beside it. Restore only backups that you made: the settings in one may run programs. After
    it the room's curtain is closed, and is opened in the room.""",
}

VISITS = {
    "list": """List who visited, when, for how long, and what they did; the newest first.

    Asks the server that runs on this computer with the same settings, as the other commands of `visits` do.""",
    "delete": """Delete visits from the book, by their ids.

    Of a visit that goes on, nothing more is written down.""",
    "export": """Print the whole visit book, as JSON, or as CSV with --csv.""",
}

TOKENS = {
    "list": """List the tokens of scripts, oldest first.

    Asks the server that runs on this computer with the same settings, as the other commands of `tokens` do.""",
    "create": """Create a token for a script, and print its secret, this once.

    The script sends it as `Authorization: Bearer` with every request of the REST interface.""",
    "revoke": """Revoke a token by its id or name.

    What its script drives stops at once.""",
}

CAMERA_TEST = """Turn the camera on for three seconds, and show what comes.

Size, rate, lost frames, and the time from capture to the encoded picture, with the server's own code. Exits with
status 2 and one line if there is no picture."""
CAMERA_LIST = """List the cameras of this computer, without turning any on.

For each its name, the path that stays the same, formats, sizes, rates and controls, and which mode would be chosen for
the configured size and rate, with the reason."""

CURTAIN = {
    "close": """Close the room's curtain at once: nobody sees, hears or turns anything until it is opened.

    Where no server runs, the next one starts with it closed. Exits with status 1 if it is closed and could not be
    saved, so that a restart may open it.""",
    "open": """Open the room's curtain.

    Exits with status 2 where no server runs, or where that could not be saved: then it stays closed.""",
    "status": "Show whether the room's curtain is closed.",
}


PEOPLE = {
    "list": "List everyone who may come in.",
    "invite": """Print a one-time link for a person, who is added if need be.

    Without a name, for the owner of a house that has none yet. Roles: an owner invites others, a resident speaks for
    the room, a visitor may turn the camera, a guest may only look.""",
    "role": """Change a person's role.

    All that the person has open ends at once, as do unused links; the devices stay logged in.""",
    "revoke": "Remove a person; all of their devices are logged out at once.",
}
SESSIONS = {
    "list": "List the devices that are logged in.",
    "revoke": "Log a device out at once.",
}
IVS = {
    "setup": """Create a key and a stage at Amazon IVS, and write the settings for them.

    Needs boto3 and an AWS access key with the rights of deploy/aws/setup-policy.json, as boto3 finds it. What exists
    already is used, so repeating it changes nothing. With --dry-run it prints each call and makes none.""",
    "check": """Check whether Amazon IVS works with the settings.

    Joins nothing, creates nothing and costs nothing. Exits with status 1 if a check failed.""",
    "cost": """Show the participant-hours of each month, and what they cost.

    By our own count, which the running server has to the minute; AWS's bill is what counts.""",
}
GROUPS = {
    "visits": ("Read, delete and export the room's visit book.", VISITS),
    "people": ("Say who may come in.", PEOPLE),
    "sessions": ("List the devices that are logged in, and log one out.", SESSIONS),
    "tokens": ("Let scripts drive or look, and end that.", TOKENS),
    "ivs": ("Prepare and check Amazon IVS, and see what it costs.", IVS),
    "curtain": ("Close and open the room's curtain.", CURTAIN),
}
"""Commands of one subject: `belvedere people list` is `people_list` in `cli/people.py`."""


def application() -> App:
    """The command with its subcommands; each is imported only when it is called."""
    app = App(
        name="belvedere", help="Look around the home you left.", version=__version__, result_action="return_value"
    )
    for name, summary in COMMANDS.items():
        app.command(f"belvedere.cli.{name}:{name}", name=name, help=summary)
    config = App(name="config", help="Work with the configuration file, belvedere.toml.")
    config.command(
        "belvedere.cli.config:check", name="check", help="Check a configuration file and the profile it names."
    )
    app.command(config)
    camera = App(name="camera", help="List and try cameras.")
    camera.command("belvedere.cli.camera_test:camera_test", name="test", help=CAMERA_TEST)
    camera.command("belvedere.cli.camera_list:camera_list", name="list", help=CAMERA_LIST)
    app.command(camera)
    for group, (purpose, commands) in GROUPS.items():
        nested = App(name=group, help=purpose)
        for name, summary in commands.items():
            nested.command(f"belvedere.cli.{group}:{group}_{name}", name=name, help=summary)
        app.command(nested)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line and exit: 0 for success, 1 for failure, 2 for bad input, with one line that says why."""
    status: object = None
    try:
        status = application()(arguments, exit_on_error=False, print_error=False)
    except (CycloptsError, OwnerError) as error:
        _exit_with_usage_error(str(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED_STATUS)
    sys.exit(status if isinstance(status, int) else 0)


def _exit_with_usage_error(message: str) -> None:
    print(f"belvedere: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(USAGE_STATUS)
