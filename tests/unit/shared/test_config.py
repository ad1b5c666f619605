from pathlib import Path

import pytest

from shared.config import Secret, SettingsError, http_urls, read_settings, secret


def test_a_secret_is_never_printed() -> None:
    value = Secret("hunter2-hunter2-hunter2")

    printed = f"{value} {value!r} {value!s} {[value]}"

    assert "hunter2" not in printed


def test_a_secret_compares_with_any_text() -> None:
    value = Secret("hunter2-hunter2-hunter2")

    assert value.matches("hunter2-hunter2-hunter2")
    assert not value.matches("")
    assert not value.matches("é\udcff")


def test_all_faults_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTUS_TEST_SECRET", raising=False)
    monkeypatch.setenv("PORTUS_TEST_PORT", "eighty")

    with pytest.raises(SettingsError) as fault:
        read_settings(lambda env: (secret(env, "PORTUS_TEST_SECRET"), env.int("PORTUS_TEST_PORT")))

    assert "PORTUS_TEST_SECRET" in str(fault.value)
    assert "PORTUS_TEST_PORT" in str(fault.value)


def test_a_short_secret_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTUS_TEST_SECRET", "tooshort")

    with pytest.raises(SettingsError) as fault:
        read_settings(lambda env: secret(env, "PORTUS_TEST_SECRET"))

    assert "PORTUS_TEST_SECRET" in str(fault.value)
    assert "tooshort" not in str(fault.value)


def test_a_value_may_come_from_a_file_without_its_newline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a-secret-of-length-24...\n")
    monkeypatch.setenv("PORTUS_TEST_SECRET_FILE", str(tmp_path / "secret"))

    value = read_settings(lambda env: secret(env, "PORTUS_TEST_SECRET"))

    assert value.reveal() == "a-secret-of-length-24..."


def test_a_file_that_is_not_there_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PORTUS_TEST_SECRET_FILE", str(tmp_path / "missing"))

    with pytest.raises(SettingsError, match="PORTUS_TEST_SECRET_FILE"):
        read_settings(lambda env: secret(env, "PORTUS_TEST_SECRET"))


@pytest.mark.parametrize(
    ("given", "urls"),
    [
        (None, ()),
        ("", ()),
        ("http://a:5001/metrics", ("http://a:5001/metrics",)),
        ("http://a:5001, https://b/x,", ("http://a:5001", "https://b/x")),
    ],
)
def test_addresses_are_separated_by_commas(
    monkeypatch: pytest.MonkeyPatch, given: str | None, urls: tuple[str, ...]
) -> None:
    monkeypatch.delenv("PORTUS_TEST_URLS", raising=False)
    if given is not None:
        monkeypatch.setenv("PORTUS_TEST_URLS", given)

    assert read_settings(lambda env: http_urls(env, "PORTUS_TEST_URLS")) == urls


@pytest.mark.parametrize("given", ["a:5001", "http://a,nonsense"])
def test_one_wrong_address_is_a_fault(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("PORTUS_TEST_URLS", given)

    with pytest.raises(SettingsError, match="PORTUS_TEST_URLS"):
        read_settings(lambda env: http_urls(env, "PORTUS_TEST_URLS"))
