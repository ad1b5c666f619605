"""Our client against a real registry."""

from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.catalog.usecases.registry import DeletionDisabled, NotInRegistry, RegistryRefused, RegistryUnavailable
from shared.clock import utc_now
from shared.oci.media_types import DOCKER_MANIFEST, OCI_MANIFEST
from shared.oci.names import Digest, RepositoryName, Tag
from tests.conftest import RegistryFactory
from tests.support.catalog import digest_of
from tests.support.catalog_clients import ACCOUNT_SECRET, ERRAND, SERVICE, new_client, nowhere
from tests.support.images import Pusher
from tests.support.little_token_server import Signer, TokenServer
from tests.support.registry import Registry
from tests.support.serving import serving

APP = RepositoryName("team/app")


@pytest.fixture
def registry(registry_factory: RegistryFactory) -> Registry:
    """A registry that lets everybody in."""
    return registry_factory()


@pytest.mark.parametrize(("docker", "media_type"), [(False, OCI_MANIFEST), (True, DOCKER_MANIFEST)])
def test_a_manifest_is_read_by_tag_and_by_digest(registry: Registry, docker: bool, media_type: str) -> None:
    pushed = Pusher(registry.url).image(APP, "1.0", docker=docker)
    client = new_client(registry.url)

    by_tag, by_digest = client.get_manifest(APP, "1.0"), client.get_manifest(APP, pushed["digest"])

    assert by_tag == by_digest
    assert (by_tag.digest, by_tag.media_type, len(by_tag.body)) == (pushed["digest"], media_type, pushed["size"])


def test_a_tag_is_looked_up_without_its_manifest(registry: Registry) -> None:
    pushed = Pusher(registry.url).image(APP, "1.0")

    assert new_client(registry.url).find_digest(APP, Tag("1.0")) == pushed["digest"]


def test_a_blob_is_read(registry: Registry) -> None:
    blob = Pusher(registry.url).blob(APP, b"content", "text/plain")

    assert new_client(registry.url).get_blob(APP, Digest(blob["digest"]), max_bytes=7) == b"content"


def test_what_is_not_there_is_not_there(registry: Registry) -> None:
    Pusher(registry.url).image(APP, "1.0")
    client = new_client(registry.url)

    with pytest.raises(NotInRegistry):
        client.get_manifest(APP, "2.0")
    with pytest.raises(NotInRegistry):
        client.find_digest(APP, Tag("2.0"))
    with pytest.raises(NotInRegistry):
        client.get_blob(APP, digest_of("nothing"), max_bytes=10)


def test_a_registry_that_is_away_is_unavailable() -> None:
    with pytest.raises(RegistryUnavailable):
        nowhere().get_manifest(APP, "1.0")


def test_the_catalogue_and_the_tags_are_listed_in_order(registry: Registry) -> None:
    pusher = Pusher(registry.url)
    for repository, tag in [("b/two", "1"), ("a/one", "2"), ("a/one", "1"), ("top", "x")]:
        pusher.image(repository, tag)
    client = new_client(registry.url)

    assert list(client.list_repositories()) == ["a/one", "b/two", "top"]
    assert client.list_tags(RepositoryName("a/one")).tags == ["1", "2"]


def test_a_registry_with_small_pages_is_read_to_the_end(registry_factory: RegistryFactory) -> None:
    """Asked for more than its limit it answers 400; then its own page size must do."""
    registry = registry_factory({"catalog": {"maxentries": 3}})
    names = [f"team/app-{number}" for number in range(8)]
    for name in names:
        Pusher(registry.url).image(name, "1.0", layer_bytes=())

    assert list(new_client(registry.url).list_repositories()) == names


def test_an_emptied_repository_has_no_tags(registry: Registry) -> None:
    """It stays in the catalogue, and its list of tags is null."""
    pusher = Pusher(registry.url)
    pusher.delete(APP, pusher.image(APP, "1.0")["digest"])
    client = new_client(registry.url)

    assert list(client.list_repositories()) == [APP]
    assert client.list_tags(APP).tags == []


def test_an_unknown_repository_has_no_tags(registry: Registry) -> None:
    now = utc_now()
    ahead = new_client(registry.url, clock=lambda: utc_now() + timedelta(hours=1))

    found = ahead.list_tags(RepositoryName("no/such"))

    assert found.tags == ()
    assert found.seen_at < now + timedelta(minutes=1), "by the registry's clock, as all that is compared with events"


def test_a_manifest_is_deleted_with_its_tags(registry: Registry) -> None:
    pushed = Pusher(registry.url).image(APP, "1.0")
    before, client = utc_now(), new_client(registry.url)

    deleted_at = client.delete_manifest(APP, Digest(pushed["digest"]), ERRAND)

    assert before.replace(microsecond=0) <= deleted_at <= utc_now()
    assert client.list_tags(APP).tags == []
    with pytest.raises(NotInRegistry):
        client.delete_manifest(APP, Digest(pushed["digest"]), ERRAND)


def test_a_registry_that_deletes_nothing_says_what_to_change(registry_factory: RegistryFactory) -> None:
    registry = registry_factory({"storage": {"delete": {"enabled": False}}})
    pushed = Pusher(registry.url).image(APP, "1.0")

    with pytest.raises(DeletionDisabled, match=r"storage\.delete\.enabled"):
        new_client(registry.url).delete_manifest(APP, Digest(pushed["digest"]), ERRAND)


def test_the_catalogue_is_walked_from_behind_a_name(registry: Registry) -> None:
    for name in ("a/z", "team", "team/app", "team-a/app", "zoo"):
        Pusher(registry.url).image(name, "1.0")

    names = list(new_client(registry.url).list_repositories(after="team"))

    assert names[0] == "team/app", "a slash comes before all other characters"
    assert set(names) == {"team/app", "team-a/app", "zoo"}


class TestTokens:
    """A registry that trusts the tokens of a token server."""

    @pytest.fixture
    def server(self) -> TokenServer:
        return TokenServer(Signer(), password=ACCOUNT_SECRET.reveal(), service=SERVICE)

    def test_are_asked_for_once_per_scope(
        self, server: TokenServer, registry_factory: RegistryFactory, tmp_path: Path
    ) -> None:
        with serving(server.app()) as url:
            registry = registry_factory(server.registry_config(f"{url}/v2/token", tmp_path / "ca.crt"))
            push = Pusher(registry.url, _bearer(server, "repository:team/app:pull,push"))
            digest = push.image(APP, "1.0")["digest"]
            client = new_client(registry.url, auth_url=url)

            for _ in range(2):
                assert list(client.list_repositories()) == [APP]
                assert client.get_manifest(APP, "1.0").digest == digest

        assert [asked["scope"] for asked in server.asked] == ["registry:catalog:*", "repository:team/app:pull"]
        assert {(asked["user"], asked["service"], asked["account"]) for asked in server.asked} == {
            ("portus", SERVICE, "portus")
        }

    def test_go_to_our_own_auth_whatever_realm_the_registry_names(
        self, server: TokenServer, registry_factory: RegistryFactory, tmp_path: Path
    ) -> None:
        thief = TokenServer(server.signer, password=server.password, service=SERVICE)
        with serving(server.app()) as url, serving(thief.app()) as elsewhere:
            registry = registry_factory(server.registry_config(f"{elsewhere}/v2/token", tmp_path / "ca.crt"))

            assert list(new_client(registry.url, auth_url=url).list_repositories()) == []

        assert thief.asked == []

    def test_that_have_expired_are_replaced(
        self, server: TokenServer, registry_factory: RegistryFactory, tmp_path: Path
    ) -> None:
        with serving(server.app()) as url:
            registry = registry_factory(server.registry_config(f"{url}/v2/token", tmp_path / "ca.crt"))
            client = new_client(registry.url, auth_url=url)
            # Older than the registry's leeway of a minute, while we think that it lives.
            server.expires_in_s = -90
            with pytest.raises(RegistryRefused):
                list(client.list_repositories())
            server.expires_in_s = 300

            assert list(client.list_repositories()) == []

    @pytest.mark.parametrize("wrong", ["issuer", "certificate"])
    def test_that_the_registry_refuses_end_in_a_line_that_says_what_to_change(
        self, wrong: str, server: TokenServer, registry_factory: RegistryFactory, tmp_path: Path
    ) -> None:
        with serving(server.app()) as url:
            registry = registry_factory(server.registry_config(f"{url}/v2/token", tmp_path / "ca.crt"))
            if wrong == "issuer":
                server.issuer = "somebody-else"
            else:
                server.signer = Signer()
            client = new_client(registry.url, auth_url=url)

            with capture_logs() as logs, pytest.raises(RegistryRefused):
                list(client.list_repositories())

        (line,) = [entry for entry in logs if entry["event"] == "registry.token_refused"]
        for word in ("auth.token.service", "auth.token.issuer", "rootcertbundle", "PORTUS_ISSUER", "PORTUS_CA_DIR"):
            assert word in line["hint"]
        assert (line["auth_token_service"], line["portus_registry_service"]) == (SERVICE, SERVICE)
        assert line["token_issuer"] == server.issuer
        assert ACCOUNT_SECRET.reveal() not in str(logs)

    def test_of_another_service_name_end_in_a_line_with_both_names(
        self, server: TokenServer, registry_factory: RegistryFactory, tmp_path: Path
    ) -> None:
        server.service = "registry.example"
        with serving(server.app()) as url:
            registry = registry_factory(server.registry_config(f"{url}/v2/token", tmp_path / "ca.crt"))
            client = new_client(registry.url, auth_url=url)

            with capture_logs() as logs:
                for _ in range(3):
                    with pytest.raises(RegistryRefused):
                        list(client.list_repositories())

        (line,) = logs
        assert line["event"] == "registry.service_differs"
        assert (line["auth_token_service"], line["portus_registry_service"]) == ("registry.example", SERVICE)
        assert "PORTUS_REGISTRY_SERVICE" in line["hint"]
        assert server.asked == []

    def test_that_auth_refuses_end_in_a_line_about_the_account(
        self, server: TokenServer, registry_factory: RegistryFactory, tmp_path: Path
    ) -> None:
        server.password = "another secret"
        with serving(server.app()) as url:
            registry = registry_factory(server.registry_config(f"{url}/v2/token", tmp_path / "ca.crt"))

            with capture_logs() as logs, pytest.raises(RegistryRefused):
                list(new_client(registry.url, auth_url=url).list_repositories())

        assert [entry["event"] for entry in logs] == ["registry.account_refused"]
        assert "PORTUS_SERVICE_ACCOUNT_SECRET" in logs[0]["hint"]

    def test_that_do_not_cover_a_deletion_name_the_switch(
        self, server: TokenServer, registry_factory: RegistryFactory, tmp_path: Path
    ) -> None:
        server.withheld = "delete"
        with serving(server.app()) as url:
            registry = registry_factory(server.registry_config(f"{url}/v2/token", tmp_path / "ca.crt"))

            with pytest.raises(RegistryRefused, match="PORTUS_DELETE_ENABLED"):
                new_client(registry.url, auth_url=url).delete_manifest(APP, digest_of("any"), ERRAND)

    def test_cannot_be_had_while_auth_is_away(
        self, server: TokenServer, registry_factory: RegistryFactory, tmp_path: Path
    ) -> None:
        registry = registry_factory(server.registry_config("http://127.0.0.1:9/v2/token", tmp_path / "ca.crt"))

        with pytest.raises(RegistryUnavailable):
            list(new_client(registry.url).list_repositories())


def _bearer(server: TokenServer, scope: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.token(scope)}"}
