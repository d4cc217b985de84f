"""The tokens are what Cloudflare Access sends, and the server publishes the keys that they were signed with."""

import json
import urllib.request

import jwt
from tests.support.access_tokens import OPTIONS, claims, key_server, private_key, published, signed, token


def test_a_token_is_signed_with_the_key_that_is_published() -> None:
    key = jwt.PyJWK(published("first", private_key()))
    for each in (token(), signed(b'{"alg":"RS256","kid":"first"}', json.dumps(claims()).encode())):
        options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
        assert jwt.decode(each, key, ["RS256"], audience=OPTIONS.audience, options=options) == claims()  # type: ignore[arg-type]  # a TypedDict


def test_the_server_publishes_the_keys_and_counts() -> None:
    with key_server() as server, urllib.request.urlopen(server.url) as answer:  # noqa: S310 - on loopback
        assert answer.read() == server.body
        assert server.asked == ["/cdn-cgi/access/certs"]
