"""Importing a module has no effect; nothing that talks or serves is made on the way."""

import json
import subprocess
import sys

from tests.architecture.tree import ROOT

_SCRIPT = """
import importlib, json, pkgutil, socket, sys, threading
import requests
import cli, services, shared

FORBIDDEN = ("socket.connect", "socket.bind", "sqlite3.connect", "subprocess.Popen", "os.mkdir", "os.remove")
effects, current = [], ""

def watch(event, arguments):
    if event in FORBIDDEN:
        effects.append(f"{current}: {event}")

def is_live(value):
    return type(value).__name__ in LIVE

LIVE = {"Flask", "Engine", "Connection", "Session", "Database", "Publisher", "Api"}
sys.addaudithook(watch)
for package in (shared, services, cli):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        # Alembic runs the scripts of a schema's history; they are not imported.
        if ".migrations" in found.name:
            continue
        current = found.name
        module = importlib.import_module(found.name)
        effects += [f"{current}: {name}" for name, value in vars(module).items() if is_live(value)]
effects += [f"thread {thread.name}" for thread in threading.enumerate() if thread is not threading.main_thread()]
print(json.dumps(effects))
"""


def test_import_has_no_effect_and_makes_no_engine_client_or_app() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
