"""What of the processes' output a person gets to see."""

from pathlib import Path

import pytest

from cli.output import ProcessLog, readable


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        pytest.param('{"level": "info", "event": "token.issued"}', None, id="information"),
        pytest.param('{"level": "warning", "event": "spool.full", "n": 7}', "warning: spool.full n=7", id="warning"),
        pytest.param("Traceback (most recent call last):", "Traceback (most recent call last):", id="traceback"),
        pytest.param("{broken", "{broken", id="not JSON after all"),
        pytest.param("", None, id="empty"),
        pytest.param('time="x" level=info msg="listening"', None, id="registry's information"),
        pytest.param('time="x" level=error msg="response completed with error"', None, id="registry's every 401"),
        pytest.param('time="x" level=error msg="disk full"', 'time="x" level=error msg="disk full"', id="its error"),
    ],
)
def test_only_what_matters_is_shown(line: str, shown: str | None) -> None:
    assert readable(line) == shown


def test_everything_is_in_the_log(tmp_path: Path) -> None:
    log = ProcessLog("auth", tmp_path, echo=False)

    log.take('{"level": "info", "event": "token.issued"}')

    assert (tmp_path / "auth.log").read_text() == '{"level": "info", "event": "token.issued"}\n'


def test_log_is_bounded(tmp_path: Path) -> None:
    log = ProcessLog("auth", tmp_path, echo=False)

    for _ in range(200):
        log.take("x" * 100_000)

    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 11_000_000
