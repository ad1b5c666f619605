"""What is said before tags are deleted."""

from services.web.clients.content import DeletionPlan, TagOutcome
from services.web.viewmodels.content import present_tag_outcomes

CHOSEN = {"1.0": "sha256:" + "0" * 64}
STAYS = "The image stays: this repository has too many tags to look first for what else leads to it."


def _said(method: str, *, is_looked_through: bool) -> list[str]:
    plan = DeletionPlan(method, CHOSEN["1.0"], ["1.0"], 1, [], [], [], [], [], 0, True, is_looked_through)
    (row,) = present_tag_outcomes([TagOutcome("1.0", plan, None, None)], CHOSEN)
    return list(row.sentences)


def test_that_a_repository_is_too_large_to_be_looked_through_is_said_where_an_image_stays_for_it() -> None:
    assert _said("tag", is_looked_through=False) == [STAYS]
    assert _said("replacement", is_looked_through=False)[0] == STAYS
    assert STAYS not in _said("replacement", is_looked_through=True)
    assert STAYS not in _said("digest", is_looked_through=False)
