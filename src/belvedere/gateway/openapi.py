"""Describes request bodies and problems in the OpenAPI document, for handlers that read and check bodies themselves.

What depends on the configuration or on the request is filled in when the document is rendered.
"""

from __future__ import annotations

import copy
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody

from belvedere.gateway.problems import PROBLEM_TYPE, Problem
from belvedere.gateway.security import cookie_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar import Request
    from litestar.openapi.spec import Schema

BEFORE_ANY_ROUTE = frozenset({400, 408, 413, 429, 431, 503})  # the refusals of `http_protocol`, before any route

FILES = {  # answers that are files, of which the client chooses the format
    ("/api/v1/stage/stills", "post"): ("image/jpeg", "image/png"),
    ("/api/v1/room/visits/export", "get"): ("application/json", "text/csv"),
}


class LocalDocument(JsonRenderPlugin):
    """Renders the document with the configured dead-man time and the cookie's name at the requested host."""

    def __init__(self, dead_man_ms: float, base_path: str = "") -> None:
        super().__init__()
        self._base_path = base_path
        self._dead_man_ms = dead_man_ms

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document as JSON."""
        document = copy.deepcopy(openapi_schema)
        document["components"]["securitySchemes"]["session"]["name"] = cookie_name(
            request.headers.get("host", ""), is_secure=request.url.scheme == "https", base_path=self._base_path
        )
        for operation in (each for path in document["paths"].values() for each in path.values()):
            operation["responses"].get("204", {}).pop("content", None)  # Litestar describes one, of type null
        for (path, method), types in FILES.items():
            document["paths"][path][method]["responses"]["200"]["content"] = {each: {} for each in types}
        velocity = document["paths"]["/api/v1/head/velocity"]["post"]["requestBody"]
        velocity["content"]["application/json"]["schema"]["properties"]["for_ms"]["maximum"] = self._dead_man_ms
        return super().render(request, document)


def problems(*statuses: int) -> Mapping[int, ResponseSpec]:
    """Descriptions of the problems that a route may answer with, and of those that any request may."""
    return {
        status: ResponseSpec(
            data_container=Problem,
            description=HTTPStatus(status).phrase,
            generate_examples=False,
            media_type=PROBLEM_TYPE,
        )
        for status in sorted(BEFORE_ANY_ROUTE.union(statuses))
    }


def operation_with_body(media_type: str, schema: Schema, description: str) -> type[Operation]:
    """An operation whose request body has this media type and schema."""
    content = {media_type: OpenAPIMediaType(schema=schema)}

    class WithBody(Operation):
        def __init__(self, **fields: Any) -> None:  # noqa: ANN401 - Litestar passes the fields of Operation
            body = RequestBody(content=content, description=description, required=True)
            super().__init__(**{**fields, "request_body": body})

    return WithBody
