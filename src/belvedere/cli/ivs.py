"""`belvedere ivs`: prepares Amazon IVS, checks it, and says what it costs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from belvedere.app.settings import DEFAULT_FILE, read_config
from belvedere.cli.parameters import Config, Json  # noqa: TC001 (cyclopts reads annotations)
from belvedere.errors import OwnerError

if TYPE_CHECKING:
    from belvedere.app.ivs_check import IvsResult

REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")


def ivs_setup(
    *,
    region: Annotated[
        str | None, Parameter(help="of a new stage, such as eu-central-1; default: the stage's, or AWS_REGION")
    ] = None,
    name: Annotated[str, Parameter(help="of the stage: one of this name is used, or created")] = "belvedere",
    dry_run: Annotated[
        bool, Parameter(help="print each call and each change, and make none", negative="", show_default=False)
    ] = False,
    config: Config = DEFAULT_FILE,
) -> int:
    """Do what is missing; returns 0. Raises OwnerError."""
    from belvedere.app.ivs_setup import PrintedCalls, read_known, set_up  # noqa: PLC0415 - not needed for help
    from belvedere.stage.ivs.aws_api import AwsApi, create_client  # noqa: PLC0415 - likewise

    where = read_known(config).region or region or next(filter(None, map(os.environ.get, REGION_VARIABLES)), None)
    if where is None:
        raise OwnerError("say where the stage is to be: --region eu-central-1, or the region that is nearest")
    api = PrintedCalls(print) if dry_run else AwsApi(lambda: create_client(where))
    set_up(config, api, name=name, is_dry_run=dry_run, say=print)
    return 0


def ivs_check(*, config: Config = DEFAULT_FILE, json: Json = False) -> int:
    """Print the result of each check; returns 1 where one failed. Raises OwnerError."""
    import msgspec  # noqa: PLC0415 - not needed for help

    from belvedere.app.ivs_check import check_ivs  # noqa: PLC0415 - likewise
    from belvedere.stage.ivs.aws_api import AwsApi, create_client_of  # noqa: PLC0415 - likewise

    results: list[IvsResult] = []
    for result in check_ivs(read_config(config), lambda options: AwsApi(lambda: create_client_of(options))):
        results.append(result)
        if not json:
            print(f"{'ok  ' if result.passed else 'FAIL'} {result.check}: {result.detail}", flush=True)
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(results), indent=2).decode() + "\n")
    return 0 if all(result.passed for result in results) else 1


def ivs_cost(
    *,
    price: Annotated[
        float | None, Parameter(help="dollars for a participant-hour; default: that of the settings")
    ] = None,
    config: Config = DEFAULT_FILE,
    json: Json = False,
) -> int:
    """Print what each month has used and costs, the newest first; returns 0. Raises OwnerError."""
    import msgspec  # noqa: PLC0415 - not needed for help

    from belvedere.app.ivs_cost import cost_line, costs_of  # noqa: PLC0415 - likewise

    costs = costs_of(read_config(config), price)
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(costs), indent=2).decode() + "\n")
    elif costs:
        sys.stdout.writelines(f"{cost_line(cost)}\n" for cost in costs)
    else:
        print("Nobody has watched through Amazon IVS yet.")
    return 0
