"""Request bodies and problems are described as they are."""

from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType

from belvedere.gateway.openapi import BEFORE_ANY_ROUTE, operation_with_body, problems
from belvedere.gateway.problems import PROBLEM_TYPE, Problem


def test_each_status_is_described_as_a_problem() -> None:
    described = problems(401, 409)
    assert described.keys() == {401, 409} | BEFORE_ANY_ROUTE
    assert described[409].description == "Conflict"
    assert all(each.data_container is Problem for each in described.values())
    assert all(each.media_type == PROBLEM_TYPE for each in described.values())


def test_a_body_is_described_although_the_handler_declares_none() -> None:
    operation = operation_with_body("text/x", Schema(type=OpenAPIType.STRING), "some words")(
        operation_id="op", request_body=None
    )
    described = operation.to_schema()
    assert described["operationId"] == "op"
    assert described["requestBody"] == {
        "content": {"text/x": {"schema": {"type": "string"}}},
        "description": "some words",
        "required": True,
    }
