"""A SELECT that is compiled once and then given to the driver as it is.

SQLAlchemy's execution of a Core statement costs several times what the driver and the server need for
it: parameters are expanded, contexts built and rows wrapped at every call. The token path cannot
afford that. It keeps what SQLAlchemy is good at: the statement is written and typed in Core, the
connection comes out of its pool, and whatever the driver refuses is done once more the ordinary way,
which knows how to report it and what to do about a connection that is gone.
"""

import threading
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import OperationalError

from shared.hanging import ServerHangs

Processor = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement in one dialect and for one length of its list."""

    sql: str
    names: Sequence[str] | None
    """Order of the parameters where they have no names."""
    fixed: Mapping[str, Any]
    """Parameters that are part of the statement."""
    binders: Mapping[str, Processor]
    listed: Sequence[str]
    """Names of the parameters that the list becomes."""
    loaders: Sequence[tuple[int, Processor]]
    """By column, what turns the driver's value into ours."""


class PreparedSelect:
    """A SELECT with at most one expanding parameter.

    Args:
        statement: every column needs a name of its own.
        expanding: name of the parameter that takes a list.
    """

    def __init__(self, statement: Select[Any], *, expanding: str) -> None:
        self._statement = statement
        self._expanding = expanding
        names = [str(column.key) for column in statement.selected_columns]
        row: Any = namedtuple("Row", names)  # type: ignore[misc]
        self._make_row: Callable[[Sequence[Any]], Any] = row._make
        self._compiled: dict[tuple[str, int], _Compiled] = {}
        self._lock = threading.Lock()

    def rows(self, connection: Connection, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """Run the statement and return its rows; their columns are attributes.

        Raises:
            SQLAlchemyError: as the ordinary execution does.
        """
        compiled = self._compile(connection.dialect, parameters)
        cursor: Any = connection.connection.cursor()
        try:
            _tell_listeners(connection, cursor, compiled.sql)
            cursor.execute(compiled.sql, self._bound(compiled, parameters))
            found = cursor.fetchall()
        except ServerHangs as fault:
            connection.invalidate(fault)
            raise OperationalError(compiled.sql, {}, fault) from fault
        except connection.dialect.loaded_dbapi.Error:
            return connection.execute(self._statement, dict(parameters)).all()
        finally:
            cursor.close()
        return [self._load(compiled, values) for values in found]

    def _load(self, compiled: _Compiled, values: Sequence[Any]) -> Any:
        row = list(values)
        for place, load in compiled.loaders:
            row[place] = load(row[place])
        return self._make_row(row)

    def _bound(self, compiled: _Compiled, parameters: Mapping[str, Any]) -> Any:
        values = {**compiled.fixed, **parameters}
        values.update(zip(compiled.listed, values.pop(self._expanding), strict=True))
        for name, bind in compiled.binders.items():
            values[name] = bind(values[name])
        return values if compiled.names is None else [values[name] for name in compiled.names]

    def _compile(self, dialect: Dialect, parameters: Mapping[str, Any]) -> _Compiled:
        key = dialect.name, len(parameters[self._expanding])
        compiled = self._compiled.get(key)
        if compiled is None:
            with self._lock:
                compiled = self._compiled.setdefault(key, self._compile_anew(dialect, parameters))
        return compiled

    def _compile_anew(self, dialect: Dialect, parameters: Mapping[str, Any]) -> _Compiled:
        compiler: Any = self._statement.compile(dialect=dialect)
        state = compiler.construct_expanded_state(dict(parameters), escape_names=False)
        listed = state.parameter_expansion.get(self._expanding, [])
        binders = {name: compiler.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in parameters}
        columns = enumerate(self._statement.selected_columns)
        loaders = (
            (place, column.type.dialect_impl(dialect).result_processor(dialect, None)) for place, column in columns
        )
        return _Compiled(
            sql=state.statement,
            names=state.positiontup,
            fixed={name: value for name, value in state.parameters.items() if name not in (*parameters, *listed)},
            binders={name: bind for name, bind in binders.items() if bind and name != self._expanding},
            listed=listed,
            loaders=[(place, load) for place, load in loaders if load],
        )


def _tell_listeners(connection: Connection, cursor: Any, sql: str) -> None:
    """Let whoever watches statements see this one, too."""
    for listener in connection.dispatch.before_cursor_execute:
        listener(connection, cursor, sql, (), None, False)
