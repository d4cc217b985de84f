import pytest

from belvedere.errors import LinkError, LinkReason, OwnerError
from belvedere.lab.trouble import told_to_the_owner, words_for


@pytest.mark.parametrize("reason", list(LinkReason))
def test_every_reason_comes_to_one_line(reason: LinkReason) -> None:
    with pytest.raises(OwnerError) as caught, told_to_the_owner("cannot look into it"):
        raise LinkError(reason, "what the library said,\nin two lines")
    assert str(caught.value).startswith("cannot look into it: ")
    assert "\n" not in str(caught.value)


def test_what_has_no_words_of_ours_is_told_as_it_came() -> None:
    assert words_for(LinkError(LinkReason.NO_CHARACTERISTIC, "wanted abcd")) == "wanted abcd"
