"""What keeps the stack from starting is said in one line."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.preflight import CannotStart, check_ports, claimed_folder, find_registry_program


def test_port_in_use_names_the_variable_that_moves_it(free_port: Callable[[], int]) -> None:
    with socket.socket() as listener:
        # As gunicorn listens: a probe that also shared the port would find it free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", port := free_port()))
        listener.listen()

        with pytest.raises(CannotStart, match=f"Port {port} .*PORTUS_AUTH_PORT"):
            check_ports("127.0.0.1", {"auth": port}, patience_s=0)


def test_lingering_connections_of_an_earlier_run_are_no_obstacle(free_port: Callable[[], int]) -> None:
    with socket.socket() as listener, socket.socket() as client:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port := free_port()))
        listener.listen()
        client.connect(("127.0.0.1", port))
        # The side that closes first is the one that lingers.
        listener.accept()[0].close()

    check_ports("127.0.0.1", {"auth": port}, patience_s=0)


def test_two_processes_on_one_port_are_refused() -> None:
    with pytest.raises(CannotStart, match="PORTUS_WEB_PORT=8080, PORTUS_AUTH_PORT=8080"):
        check_ports("127.0.0.1", {"web": 8080, "auth": 8080})


def test_address_of_another_machine_is_refused() -> None:
    with pytest.raises(CannotStart, match="PORTUS_BIND"):
        check_ports("192.0.2.1", {"web": 8080})


def test_new_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    with claimed_folder(tmp_path / "data"):
        assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    """`PORTUS_DATA_DIR=/tmp` must not lock everybody out of /tmp."""
    tmp_path.chmod(0o1777)

    with claimed_folder(tmp_path):
        assert tmp_path.stat().st_mode & 0o7777 == 0o1777


def test_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").touch()

    with pytest.raises(CannotStart, match="PORTUS_DATA_DIR"), claimed_folder(tmp_path / "data"):
        pass


def test_folder_is_claimed_once(tmp_path: Path) -> None:
    with (
        claimed_folder(tmp_path),
        pytest.raises(CannotStart, match=r"already runs in .* \(process \d+\)"),
        claimed_folder(tmp_path),
    ):
        pass


def test_registry_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CannotStart, match="docker-registry"):
        find_registry_program()
