"""Ways past Portus: a second registry on the same storage that lets everybody in and tells nobody."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.registry import Registry
from tests.support.stack import Stack


@contextmanager
def backdoor(stack: Stack, folder: Path) -> Iterator[Registry]:
    """Run a registry without auth and notifications on the storage of an installation's own.

    Args:
        folder: for its configuration and log.
    """
    registry = Registry(folder, {"storage": {"filesystem": {"rootdirectory": str(storage_of(stack))}}})
    registry.start()
    try:
        yield registry
    finally:
        registry.stop()


def storage_of(stack: Stack) -> Path:
    """Return the folder in which an installation's registry keeps everything."""
    return stack.folder / "data" / "registry"


def stored_repository(stack: Stack, name: str) -> Path:
    """Return the folder in which it keeps what a repository consists of."""
    return storage_of(stack) / "docker/registry/v2/repositories" / name
