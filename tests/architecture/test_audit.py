"""Whatever a use case of ``auth`` changes leaves an entry in the audit trail."""

import ast
from collections.abc import Iterator

from tests.architecture.tree import ROOT

NOT_AUDITED = {
    ("authenticate", "_note_failure"): "a wrong password is counted, and changes nothing else",
    ("keep_decisions", "_delete_old"): "records of decisions are a trail of their own, kept for a set time",
    ("keep_decisions", "_drop_old"): "the same, a day at a time",
    ("keep_decisions", "_make_missing"): "room for the days to come",
    ("logins", "open_login"): "a login at a registry, of which there is a record of the decision",
    ("people", "_count_sign_up"): "an attempt is counted, and changes nothing else",
    ("sessions", "refresh_session"): "when a session was used last, once a minute",
    ("write_notes", "write_notes"): "when credentials were used last, and records of decisions",
}
"""Who writes without an entry, and what it is that they write."""


def test_every_transaction_that_writes_is_audited() -> None:
    assert set(_unaudited()) == set(NOT_AUDITED)


def _unaudited() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "services/auth/usecases").glob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef) and any(_writes_unseen(node) for node in ast.walk(function)):
                yield path.stem, function.name


def _writes_unseen(node: ast.AST) -> bool:
    if not isinstance(node, ast.With):
        return False
    opened = [ast.unparse(item.context_expr) for item in node.items]
    return any(call.endswith(".write()") for call in opened) and not any(call.startswith("audited(") for call in opened)
