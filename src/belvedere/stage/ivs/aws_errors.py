"""Maps what botocore raises to an `IvsReason`, in one place, by types and codes and never by texts."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from belvedere.errors import IvsError, IvsReason

CODES: Final = {
    "AccessDeniedException": IvsReason.ACCESS_DENIED,
    "AccessDenied": IvsReason.ACCESS_DENIED,
    "PendingVerification": IvsReason.PENDING_VERIFICATION,
    "ResourceNotFoundException": IvsReason.NOT_FOUND,
    "ServiceQuotaExceededException": IvsReason.QUOTA,
    "ValidationException": IvsReason.INVALID,
    "ConflictException": IvsReason.INVALID,
    "ThrottlingException": IvsReason.THROTTLED,
    "Throttling": IvsReason.THROTTLED,
    "TooManyRequestsException": IvsReason.THROTTLED,
    "UnrecognizedClientException": IvsReason.BAD_CREDENTIALS,
    "InvalidClientTokenId": IvsReason.BAD_CREDENTIALS,
    "InvalidAccessKeyId": IvsReason.BAD_CREDENTIALS,
    "ExpiredTokenException": IvsReason.BAD_CREDENTIALS,
    "ExpiredToken": IvsReason.BAD_CREDENTIALS,
    "IncompleteSignature": IvsReason.BAD_CREDENTIALS,
    "SignatureDoesNotMatch": IvsReason.BAD_CREDENTIALS,
    "InvalidSignatureException": IvsReason.BAD_CREDENTIALS,  # also for a wrong clock: `ivs_error` tells them apart
    "RequestExpired": IvsReason.CLOCK,
    "RequestTimeTooSkewed": IvsReason.CLOCK,
}
STATUSES: Final[dict[int, IvsReason]] = {
    HTTPStatus.PAYMENT_REQUIRED: IvsReason.QUOTA,
    HTTPStatus.FORBIDDEN: IvsReason.ACCESS_DENIED,
    HTTPStatus.NOT_FOUND: IvsReason.NOT_FOUND,
    HTTPStatus.TOO_MANY_REQUESTS: IvsReason.THROTTLED,
}
MAX_CHARS: Final = 300


def ivs_error(error: Exception, doing: str, *, is_clock_wrong: bool = False) -> IvsError:
    """The reason of an exception of botocore, or of what imports it; `doing` names the call in the message.

    `is_clock_wrong`: the answer's own time shows that signatures of this computer are not valid.
    """
    if isinstance(error, ImportError):
        return IvsError(IvsReason.NO_LIBRARY, f"{doing}: boto3 is not installed")
    from botocore import exceptions  # noqa: PLC0415 - heavy; whatever raised this has imported it

    match error:
        case exceptions.ClientError():
            return _refused(error.response, doing, is_clock_wrong=is_clock_wrong)
        case (
            exceptions.NoCredentialsError()
            | exceptions.PartialCredentialsError()
            | exceptions.CredentialRetrievalError()
        ):
            reason, what = IvsReason.NO_CREDENTIALS, "there is no access key"
        case exceptions.ProfileNotFound() | exceptions.ConfigNotFound() | exceptions.ConfigParseError():
            reason, what = IvsReason.NO_CREDENTIALS, _one_line(str(error))
        case exceptions.ParamValidationError() | exceptions.InvalidRegionError():
            reason, what = IvsReason.INVALID, _one_line(str(error))
        case exceptions.HTTPClientError() | exceptions.ConnectionError() | OSError():
            reason, what = IvsReason.UNREACHABLE, f"AWS cannot be reached ({type(error).__name__})"
        case _:
            reason, what = IvsReason.OTHER, type(error).__name__
    return IvsError(reason, f"{doing}: {what}")


def _refused(response: dict[str, Any], doing: str, *, is_clock_wrong: bool) -> IvsError:
    """What AWS answered: a code, or a status where the code is not known."""
    about: dict[str, Any] = response.get("Error") or {}
    code, status = str(about.get("Code", "")), _status(response)
    reason = CODES.get(code) or STATUSES.get(status, IvsReason.OTHER)
    if is_clock_wrong and reason is IvsReason.BAD_CREDENTIALS:
        reason = IvsReason.CLOCK
    return IvsError(reason, f"{doing}: AWS answered {code or status}: {_one_line(str(about.get('Message', '')))}")


def _status(response: dict[str, Any]) -> int:
    status = (response.get("ResponseMetadata") or {}).get("HTTPStatusCode", 0)
    return status if isinstance(status, int) else 0


def _one_line(text: str) -> str:
    """What others wrote, fit for a log line."""
    return "".join(each if each.isprintable() else " " for each in text)[:MAX_CHARS]
