"""Enter, change, check and remove registries; for administrators."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, Protocol

from sqlalchemy import Connection

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Action, Change, Fields, Ref
from services.auth.domain.errors import Forbidden, Invalid, NotFound
from services.auth.domain.namespaces import GLOBAL_NAMESPACE, Visibility
from services.auth.domain.registries import FIRST_REGISTRY_ID, FirstRegistry, check_hostname
from services.auth.domain.subjects import Subject
from services.auth.domain.teams import GLOBAL_TEAM
from services.auth.storage.locks import Lock, hold
from services.auth.storage.namespaces import insert_namespace
from services.auth.storage.registries import (
    RegistryView,
    count_namespaces,
    delete_registry,
    find_registry,
    find_registry_clashes,
    insert_registry,
    list_registries,
    update_registry,
)
from services.auth.storage.teams import find_team_id
from services.auth.usecases.audit import audited
from services.auth.usecases.rights import require_administrator
from shared.api.etags import Expected, anything
from shared.api.paging import ListRequest, Page
from shared.clock import Clock
from shared.database import Database

_FROM_ENVIRONMENT = "of the first registry is what {} says: change it there"
_ENVIRONMENT = {"hostname": "PORTUS_REGISTRY_HOST", "service": "PORTUS_REGISTRY_SERVICE"}


Wanted = Mapping[str, Any]
"""By column: what a registry is to be. Of a change, what is missing stays as it is."""


class Answer(Protocol):
    """What a registry said when it was asked."""

    @property
    def fault(self) -> str | None: ...
    @property
    def realm(self) -> str | None: ...
    @property
    def service(self) -> str | None: ...


Probe = Callable[[str, bool], Answer]
"""(hostname, whether by TLS) → what answers there."""


def show_registries(
    subject: Subject, request: ListRequest, *, first: FirstRegistry, database: Database
) -> Page[RegistryView]:
    """Return a page of the registries, to administrators and auditors.

    Raises:
        Forbidden: for anybody else.
    """
    _require_reader(subject)
    with database.read() as connection:
        page = list_registries(connection, request)
    return replace(page, rows=[_named(registry, first) for registry in page.rows])


def show_registry(subject: Subject, registry_id: int, *, first: FirstRegistry, database: Database) -> RegistryView:
    """Return a registry, to administrators and auditors.

    Raises:
        Forbidden: for anybody else, whether or not it exists.
        NotFound: there is no such registry.
    """
    _require_reader(subject)
    with database.read() as connection:
        return _get(connection, registry_id, first)


def create_registry(
    actor: Actor, wanted: Wanted, *, force: bool, probe: Probe, first: FirstRegistry, database: Database, clock: Clock
) -> RegistryView:
    """Enter a registry; it gets a global namespace, and namespaces may be made in it.

    Args:
        force: whether it is entered though it does not answer as it should.

    Raises:
        Forbidden: the caller is no administrator.
        Invalid: a value breaks a rule or is taken, or the registry does not answer.
    """
    require_administrator(actor.subject)
    if not force:
        _require_answer(wanted, probe)
    _check_hosts(wanted)
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        _refuse_clashes(connection, wanted, first)
        defaults = {"external_hostname": None, "use_ssl": True}
        registry_id = insert_registry(connection, {**defaults, **_columns(wanted)}, now=clock())
        insert_namespace(
            connection,
            GLOBAL_NAMESPACE,
            team_id=find_team_id(connection, GLOBAL_TEAM),
            visibility=Visibility.PUBLIC,
            description="Repositories without a namespace.",
            registry_id=registry_id,
            now=clock(),
        )
        registry = _get(connection, registry_id, first)
        record(Change(Action.REGISTRY_CREATED, Ref(registry.id, registry.name), after=shown_fields(registry)))
    return registry


def change_registry(
    actor: Actor,
    registry_id: int,
    wanted: Wanted,
    *,
    force: bool,
    expected: Expected = anything,
    probe: Probe,
    first: FirstRegistry,
    database: Database,
    clock: Clock,
) -> RegistryView:
    """Change a registry; its host stays what it is as long as there are namespaces in it.

    Raises:
        Forbidden: the caller is no administrator.
        NotFound: there is no such registry.
        Invalid: a value breaks a rule or is taken, the host may not change, or the registry does not answer.
    """
    require_administrator(actor.subject)
    _check_hosts(wanted)
    with database.read() as connection:
        before = _get(connection, registry_id, first)
    wanted = _differences(before, wanted)
    if not force and not before.is_first and {"hostname", "service", "use_ssl"} & set(wanted):
        _require_answer({**shown_fields(before), **wanted}, probe)
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        before = _get(connection, registry_id, first)
        expected(before)
        wanted = _differences(before, wanted)
        _refuse_moving(connection, before, wanted)
        _refuse_clashes(connection, wanted, first, but=registry_id)
        update_registry(connection, registry_id, _columns(wanted), now=clock())
        after = _get(connection, registry_id, first)
        record(
            Change(
                Action.REGISTRY_UPDATED,
                Ref(after.id, after.name),
                before=shown_fields(before),
                after=shown_fields(after),
            )
        )
    return after


def remove_registry(
    actor: Actor,
    registry_id: int,
    *,
    expected: Expected = anything,
    first: FirstRegistry,
    database: Database,
    clock: Clock,
) -> None:
    """Forget a registry that holds no namespace but its global one; nothing in it is touched.

    Raises:
        Forbidden: the caller is no administrator.
        NotFound: there is no such registry.
        Invalid: it is the first one, or there are namespaces in it.
    """
    require_administrator(actor.subject)
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        registry = _get(connection, registry_id, first)
        expected(registry)
        if registry.is_first:
            raise Invalid({"registry": ["the first registry is the one that the environment names; it stays"]})
        if held := count_namespaces(connection, registry_id):
            raise Invalid({"registry": [f"{held} namespaces are in it: delete them first"]})
        delete_registry(connection, registry_id)
        record(Change(Action.REGISTRY_DELETED, Ref(registry.id, registry.name), before=shown_fields(registry)))


def validate_registry(
    subject: Subject, wanted: Wanted, *, only: Collection[str], probe: Probe, first: FirstRegistry, database: Database
) -> Mapping[str, list[str]]:
    """Return the faults of a registry that somebody wants to enter, by field; none when it may be entered.

    Args:
        only: fields to look at. Without ``hostname`` among them nobody is asked.

    Raises:
        Forbidden: the caller is no administrator.
    """
    require_administrator(subject)
    looked_at = frozenset(only)
    faults: dict[str, list[str]] = {}
    with database.read() as connection:
        for name in sorted(_clashes(connection, wanted, first) & looked_at):
            faults[name] = ["has already been taken"]
    for check in (_check_hosts, lambda each: _require_answer(each, probe) if "hostname" in looked_at else None):
        try:
            check(wanted)
        except Invalid as fault:
            found = {name: list(texts) for name, texts in fault.errors.items() if name in looked_at}
            faults = {**found, **faults}
            break
    return faults


def check_registry(
    subject: Subject,
    registry_id: int,
    *,
    probe: Probe,
    probe_first: Callable[[], Answer],
    first: FirstRegistry,
    database: Database,
) -> Mapping[str, list[str]]:
    """Ask a registry that is entered whether it is there, and who it is; return what is wrong, by field.

    Args:
        probe_first: asks the first registry where Portus reaches it: its host is only what people type.

    Raises:
        Forbidden: the caller is neither administrator nor auditor.
        NotFound: there is no such registry.
    """
    _require_reader(subject)
    with database.read() as connection:
        registry = _get(connection, registry_id, first)
    answer = probe_first() if registry.is_first else probe(registry.hostname, registry.use_ssl)
    return {name: [text] for name, text in _faults_of(answer, registry.service).items()}


def shown_fields(registry: RegistryView) -> Fields:
    """Return what the audit trail shows of a registry."""
    return {
        "name": registry.name,
        "service": registry.service,
        "hostname": registry.hostname,
        "external_hostname": registry.external_hostname,
        "use_ssl": registry.use_ssl,
        "token_ttl_s": registry.token_ttl_s,
        "push_policy": registry.push_policy,
        "delete_policy": registry.delete_policy,
    }


def _require_reader(subject: Subject) -> None:
    if not (subject.administrator or subject.auditor):
        raise Forbidden("Only administrators and auditors may see the registries.")


def _get(connection: Connection, registry_id: int, first: FirstRegistry) -> RegistryView:
    registry = find_registry(connection, registry_id)
    if registry is None:
        raise NotFound("registry")
    return _named(registry, first)


def _named(registry: RegistryView, first: FirstRegistry) -> RegistryView:
    """Fill in what only the environment knows of the first registry."""
    return replace(registry, service=first.service, hostname=first.hostname) if registry.is_first else registry


def _columns(wanted: Wanted) -> dict[str, Any]:
    return {name: getattr(value, "value", value) for name, value in wanted.items()}


def _differences(registry: RegistryView, wanted: Wanted) -> Wanted:
    return {name: value for name, value in wanted.items() if getattr(registry, name) != value}


def _check_hosts(wanted: Wanted) -> None:
    for field in ("hostname", "external_hostname"):
        if wanted.get(field):
            check_hostname(field, wanted[field])


def _require_answer(wanted: Wanted, probe: Probe) -> None:
    faults = dict(_faults_of(probe(wanted["hostname"], wanted.get("use_ssl", True)), wanted.get("service")))
    if "hostname" in faults:
        faults["hostname"] = f"{faults['hostname']}; say force=true to enter it all the same"
    if faults:
        raise Invalid({name: [text] for name, text in faults.items()})


def _faults_of(answer: Answer, service: str | None) -> Mapping[str, str]:
    """Return what is wrong with the answer of a registry that is to bear a name, by field."""
    if answer.fault:
        return {"hostname": answer.fault}
    if service and answer.service != service:
        found = f"calls itself {answer.service!r}" if answer.service else "asks for no token"
        return {"service": f"the registry {found}: its auth.token.service must be this name"}
    return {}


def _refuse_clashes(connection: Connection, wanted: Wanted, first: FirstRegistry, *, but: int | None = None) -> None:
    clashes = _clashes(connection, wanted, first, but=but)
    if clashes:
        raise Invalid({name: ["has already been taken"] for name in sorted(clashes)})


def _clashes(connection: Connection, wanted: Wanted, first: FirstRegistry, *, but: int | None = None) -> set[str]:
    taken = {name for name in ("service", "hostname") if wanted.get(name) == getattr(first, name)}
    return find_registry_clashes(connection, wanted, but=but) | (taken if but != FIRST_REGISTRY_ID else set())


def _refuse_moving(connection: Connection, registry: RegistryView, wanted: Wanted) -> None:
    moved = [field for field in ("hostname", "service") if field in wanted]
    if registry.is_first and moved:
        raise Invalid({field: [_FROM_ENVIRONMENT.format(_ENVIRONMENT[field])] for field in moved})
    if "hostname" in moved and (held := count_namespaces(connection, registry.id)):
        raise Invalid({"hostname": [f"cannot change while {held} namespaces are in the registry"]})
