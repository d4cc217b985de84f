"""How refusals are written into the OpenAPI document."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from litestar.openapi.datastructures import ResponseSpec

from belvedere.gateway.problems import PROBLEM_TYPE, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping


def problems(*statuses: int) -> Mapping[int, ResponseSpec]:
    """The refusals that a route may answer with."""
    return {
        status: ResponseSpec(
            data_container=Problem,
            description=HTTPStatus(status).phrase,
            generate_examples=False,
            media_type=PROBLEM_TYPE,
        )
        for status in statuses
    }
