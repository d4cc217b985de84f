from belvedere.secret import Secret


def test_only_reveal_gives_a_secret_away() -> None:
    secret = Secret("open sesame")
    assert secret.reveal() == "open sesame"
    assert {f"{secret}", f"{secret!r}", f"{[secret]}", str(secret), repr(secret)} == {
        "Secret(hidden)",
        "[Secret(hidden)]",
    }


def test_secrets_are_equal_when_their_texts_are() -> None:
    assert {Secret("a"), Secret("a"), Secret("b")} == {Secret("b"), Secret("a")}
    assert Secret("a") != "a"
