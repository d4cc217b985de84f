import pytest

from belvedere.errors import LinkError, LinkReason, OwnerError
from belvedere.lab.messages import as_owner_error, message_for


@pytest.mark.parametrize("reason", list(LinkReason))
def test_every_reason_comes_to_one_line(reason: LinkReason) -> None:
    with pytest.raises(OwnerError) as caught, as_owner_error("cannot look into it"):
        raise LinkError(reason, "what the library said,\nin two lines")
    assert str(caught.value).startswith("cannot look into it: ")
    assert "\n" not in str(caught.value)


def test_what_has_no_words_of_ours_is_reported_as_it_came() -> None:
    assert message_for(LinkError(LinkReason.NO_CHARACTERISTIC, "wanted abcd")) == "wanted abcd"
