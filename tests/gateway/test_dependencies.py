"""A gateway that is given neither a store nor a visit book keeps nothing."""

from belvedere.gateway.dependencies import no_visit_book, save_nothing


async def test_without_a_visit_book_nothing_is_written_down() -> None:
    book = no_visit_book()
    assert not book.is_kept
    assert (await book.page(10)).visits == []


async def test_without_a_store_people_and_sessions_count_as_saved_at_once() -> None:
    assert await save_nothing() is None  # type: ignore[func-returns-value]  # that is all that it does
