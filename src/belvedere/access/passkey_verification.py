"""Verifies what authenticators sign, with the `webauthn` library; the only place that knows it.

What was sent is checked for its form before the library decodes it. Both functions take milliseconds, and importing
this module a third of a second, so both belong in a thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import (
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_cbor,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.decode_credential_public_key import DecodedRSAPublicKey
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    RegistrationCredential,
)

from belvedere.access.ceremonies import Algorithm, VerifiedKey
from belvedere.access.plain_cbor import end_of_item, require_plain
from belvedere.errors import Refusal, VisitorError

if TYPE_CHECKING:
    from belvedere.access.ceremonies import Assertion, Ceremony, Registration

FLAGS_AT: Final = 32  # in the authenticator data: the hash of the host, the flags, and the sign count come first
DATA_BYTES: Final = 37
CREDENTIAL_AT: Final = DATA_BYTES + 16 + 2  # after the authenticator's model and the length of the credential's id
HAS_CREDENTIAL: Final = 1 << 6
HAS_EXTENSIONS: Final = 1 << 7
MAX_CREDENTIAL_BYTES: Final = 1023  # WebAuthn, section 4
RSA_EXPONENT: Final = b"\x01\x00\x01"  # verifying with a large one is slow
MAX_RSA_BYTES: Final = 512
ALGORITHMS: Final = [COSEAlgorithmIdentifier(each.value) for each in Algorithm]


def verify_registration(ceremony: Ceremony, answer: Registration) -> VerifiedKey:
    """The key of a new passkey. Raises VisitorError (NOT_PERMITTED) for an answer that is wrong in any way.

    Who made the authenticator does not matter, so only attestations without certificates are accepted. Browsers remove
    all others, because we request none.
    """
    try:
        return _registered(ceremony, answer)
    except Exception as error:
        raise _refused(error) from error


def verify_assertion(ceremony: Ceremony, known: VerifiedKey, answer: Assertion) -> int:
    """The new sign count of a passkey that was used. Raises VisitorError (NOT_PERMITTED) for a wrong answer."""
    try:
        return _used(ceremony, known, answer)
    except Exception as error:
        raise _refused(error) from error


def _registered(ceremony: Ceremony, answer: Registration) -> VerifiedKey:
    require_plain(answer.attestation)
    attestation = parse_cbor(answer.attestation)
    if attestation["fmt"] not in {"none", "packed"} or "x5c" in attestation["attStmt"]:
        raise ValueError("the attestation has a form that was not requested")
    _require_plain_data(attestation["authData"], has_credential=True)
    verified = verify_registration_response(
        credential=RegistrationCredential(
            id=bytes_to_base64url(answer.credential),
            raw_id=answer.credential,
            response=AuthenticatorAttestationResponse(
                client_data_json=answer.client_data, attestation_object=answer.attestation
            ),
        ),
        expected_challenge=ceremony.challenge,
        expected_rp_id=ceremony.party.id,
        expected_origin=list(ceremony.party.origins),
        require_user_verification=True,
        supported_pub_key_algs=ALGORITHMS,
    )
    if verified.credential_id != answer.credential:
        raise ValueError("the credential's id is not the one that was registered")
    _require_usable(verified.credential_public_key)
    return VerifiedKey(public_key=verified.credential_public_key, sign_count=verified.sign_count)


def _used(ceremony: Ceremony, known: VerifiedKey, answer: Assertion) -> int:
    _require_plain_data(answer.authenticator_data, has_credential=False)
    verified = verify_authentication_response(
        credential=AuthenticationCredential(
            id=bytes_to_base64url(answer.credential),
            raw_id=answer.credential,
            response=AuthenticatorAssertionResponse(
                client_data_json=answer.client_data,
                authenticator_data=answer.authenticator_data,
                signature=answer.signature,
            ),
        ),
        expected_challenge=ceremony.challenge,
        expected_rp_id=ceremony.party.id,
        expected_origin=list(ceremony.party.origins),
        credential_public_key=known.public_key,
        credential_current_sign_count=known.sign_count,
        require_user_verification=True,
    )
    return verified.new_sign_count


def _require_plain_data(data: bytes, *, has_credential: bool) -> None:
    """Raise ValueError unless authenticator data have the right parts, and what is CBOR in them is plain."""
    if len(data) < DATA_BYTES or bool(data[FLAGS_AT] & HAS_CREDENTIAL) is not has_credential:
        raise ValueError("the authenticator's data do not have the parts that they must have")
    at = DATA_BYTES
    if has_credential:
        size = int.from_bytes(data[CREDENTIAL_AT - 2 : CREDENTIAL_AT], "big")
        if size > MAX_CREDENTIAL_BYTES:
            raise ValueError("the credential's id is too long")
        at = end_of_item(data, CREDENTIAL_AT + size)
    if data[FLAGS_AT] & HAS_EXTENSIONS:
        at = end_of_item(data, at)
    if at != len(data):
        raise ValueError("there is something after the authenticator's data")


def _require_usable(public_key: bytes) -> None:
    """Raise an error for a key that could not be used later, or only slowly."""
    key = decode_credential_public_key(public_key)
    if isinstance(key, DecodedRSAPublicKey) and (key.e != RSA_EXPONENT or len(key.n) > MAX_RSA_BYTES):
        raise ValueError("the key is too large")
    decoded_public_key_to_cryptography(key)


def _refused(error: Exception) -> VisitorError:
    """What the visitor is told; the error's cause says why."""
    return VisitorError(Refusal.NOT_PERMITTED, f"this passkey was not accepted ({type(error).__name__})")
