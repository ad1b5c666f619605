"""What each notification that a registry sends means for the index."""

import pytest

from services.catalog.domain import throwaway
from services.catalog.domain.occurrences import Meaning, Occurrence, meaning_of
from tests.support.catalog import delete, digest_of, make_occurrence, pull, push

D = digest_of("manifest")
BLOB = "application/octet-stream"

RULES = [
    pytest.param(push("1.0", D, 0), Meaning.TAG_PUSHED, id="a manifest with a tag"),
    pytest.param(push(None, D, 0), Meaning.MANIFEST_PUSHED, id="a manifest by digest"),
    pytest.param(push("1.0", D, 0, media_type="text/plain"), Meaning.TAG_PUSHED, id="any media type"),
    pytest.param(push(None, D, 0, media_type=BLOB), Meaning.NOTHING, id="a blob"),
    pytest.param(push(None, D, 0, media_type=None), Meaning.NOTHING, id="a push of who knows what"),
    pytest.param(make_occurrence("push", tag="1.0"), Meaning.NOTHING, id="a push without a digest"),
    pytest.param(pull(D, 0, tag="1.0"), Meaning.PULLED, id="GET by tag"),
    pytest.param(pull(D, 0), Meaning.PULLED, id="GET by digest"),
    pytest.param(pull(D, 0, method="HEAD"), Meaning.CHECKED, id="HEAD"),
    pytest.param(pull(D, 0, media_type=BLOB), Meaning.NOTHING, id="GET of a blob"),
    pytest.param(pull(D, 0, actor="portus"), Meaning.NOTHING, id="our own GET"),
    pytest.param(pull(D, 0, method="HEAD", actor="portus"), Meaning.NOTHING, id="our own HEAD"),
    pytest.param(pull(D, 0, method="BREW"), Meaning.NOTHING, id="a verb that is no pull"),
    pytest.param(push("1.0", D, 0, actor="portus"), Meaning.TAG_PUSHED, id="our own push"),
    pytest.param(push("1.0", throwaway.DIGEST, 0, actor="jane"), Meaning.NOTHING, id="a throw-away manifest"),
    pytest.param(delete(0, digest=throwaway.DIGEST), Meaning.NOTHING, id="its deletion"),
    pytest.param(delete(0, tag="1.0", actor="portus"), Meaning.TAG_DELETED, id="our own deletion"),
    pytest.param(make_occurrence("mount", digest=D, media_type=BLOB), Meaning.NOTHING, id="a mount"),
    pytest.param(delete(0, digest=D), Meaning.MANIFEST_DELETED, id="a delete by digest, or of a blob"),
    pytest.param(delete(0, tag="1.0"), Meaning.TAG_DELETED, id="a delete by tag"),
    pytest.param(delete(0), Meaning.NOTHING, id="a delete of nothing"),
    pytest.param(make_occurrence("frobnicate", digest=D, tag="1.0"), Meaning.NOTHING, id="an action yet to come"),
]


@pytest.mark.parametrize(("occurrence", "meaning"), RULES)
def test_meaning(occurrence: Occurrence, meaning: Meaning) -> None:
    assert meaning_of(occurrence) is meaning
