"""Every error of AWS has a reason and a cure, found by its type or code."""

from __future__ import annotations

import pytest
from botocore import exceptions

from belvedere.errors import IvsReason
from belvedere.stage.ivs.aws_errors import MAX_CHARS, ivs_error


def refused(code: str, status: int = 400, message: str = "no") -> exceptions.ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return exceptions.ClientError(response, "GetStage")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (refused("AccessDeniedException", 403), IvsReason.ACCESS_DENIED),
        (refused("PendingVerification", 403), IvsReason.PENDING_VERIFICATION),
        (refused("ResourceNotFoundException", 404), IvsReason.NOT_FOUND),
        (refused("ServiceQuotaExceededException", 402), IvsReason.QUOTA),
        (refused("ValidationException"), IvsReason.INVALID),
        (refused("ConflictException", 409), IvsReason.INVALID),
        (refused("ThrottlingException", 429), IvsReason.THROTTLED),
        (refused("UnrecognizedClientException", 403), IvsReason.BAD_CREDENTIALS),
        (refused("InvalidSignatureException", 403), IvsReason.BAD_CREDENTIALS),
        (refused("RequestTimeTooSkewed", 403), IvsReason.CLOCK),
        (refused("429", 429), IvsReason.THROTTLED),  # a code that is not known
        (refused("", 402), IvsReason.QUOTA),
        (refused("SomethingNew", 500), IvsReason.OTHER),
        (exceptions.NoCredentialsError(), IvsReason.NO_CREDENTIALS),
        (exceptions.PartialCredentialsError(provider="env", cred_var="x"), IvsReason.NO_CREDENTIALS),
        (exceptions.ProfileNotFound(profile="x"), IvsReason.NO_CREDENTIALS),
        (exceptions.ParamValidationError(report="x"), IvsReason.INVALID),
        (exceptions.EndpointConnectionError(endpoint_url="https://x"), IvsReason.UNREACHABLE),
        (exceptions.ConnectTimeoutError(endpoint_url="https://x"), IvsReason.UNREACHABLE),
        (exceptions.ReadTimeoutError(endpoint_url="https://x"), IvsReason.UNREACHABLE),
        (exceptions.SSLError(endpoint_url="https://x", error="x"), IvsReason.UNREACHABLE),
        (exceptions.ProxyConnectionError(proxy_url="https://x", error="x"), IvsReason.UNREACHABLE),
        (ConnectionResetError(), IvsReason.UNREACHABLE),
        (RuntimeError("x"), IvsReason.OTHER),
        (ModuleNotFoundError("boto3"), IvsReason.NO_LIBRARY),
    ],
    ids=lambda value: getattr(value, "name", None) or str(value)[:60],
)
def test_each_error_has_its_reason(error: Exception, reason: IvsReason) -> None:
    found = ivs_error(error, "asking")
    assert found.reason is reason
    assert str(found).startswith("asking: ")
    assert str(found).endswith(reason.value)


def test_a_signature_that_is_not_valid_is_the_clocks_fault_where_that_is_wrong() -> None:
    error = refused("InvalidSignatureException", 403)
    assert ivs_error(error, "asking", is_clock_wrong=True).reason is IvsReason.CLOCK
    assert ivs_error(refused("ValidationException"), "asking", is_clock_wrong=True).reason is IvsReason.INVALID


def test_what_aws_says_is_one_line_of_bounded_length() -> None:
    text = str(ivs_error(refused("ValidationException", message="a\r\nb\x1b[31m" + "c" * 10_000), "asking"))
    assert text.isprintable()
    assert len(text) < MAX_CHARS + 200


@pytest.mark.parametrize(
    "response", [{}, {"Error": None, "ResponseMetadata": None}, {"ResponseMetadata": {"HTTPStatusCode": "x"}}]
)
def test_an_answer_that_says_nothing_is_some_error(response: dict[str, object]) -> None:
    error = refused("x")
    error.response = response
    assert ivs_error(error, "asking").reason is IvsReason.OTHER


def test_each_reason_has_a_cure_of_its_own() -> None:
    assert len({reason.value for reason in IvsReason}) == len(IvsReason.__members__)
