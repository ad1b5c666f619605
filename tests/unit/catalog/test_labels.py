"""What of labels and annotations can be searched."""

from services.catalog.domain.labels import MAX_LABELS, list_searchable


def test_keys_and_values_are_kept_as_they_are() -> None:
    assert list(list_searchable({"org.example/version": "1.0", "empty": ""})) == [
        ("org.example/version", "1.0"),
        ("empty", ""),
    ]


def test_a_value_is_kept_in_one_line_of_a_certain_length() -> None:
    found = dict(list_searchable({"a": "two\nlines\0and\ud800more", "b": "x" * 300}))

    assert found == {"a": "twolinesandmore", "b": "x" * 255}


def test_a_key_that_no_database_takes_is_passed_over() -> None:
    assert list(list_searchable({"a\0": "x", "": "x", "k" * 256: "x"})) == []


def test_so_many_are_kept_and_no_more() -> None:
    assert len(list(list_searchable({f"key-{number}": "x" for number in range(500)}))) == MAX_LABELS
