import re

from belvedere import errors


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = set(re.findall(r"\b([A-Z]\w+Error)\b", errors.__doc__ or ""))
    defined = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert drawn == defined


def test_every_error_of_ours_has_one_root() -> None:
    defined = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert all(issubclass(error, errors.BelvedereError) for error in defined)


def test_a_settings_error_is_one_line_with_file_key_and_what_is_allowed() -> None:
    error = errors.SettingsError("belvedere.toml", "server.port", "expected a number", "0 to 65535")
    assert str(error) == "belvedere.toml: server.port: expected a number (allowed: 0 to 65535)"
