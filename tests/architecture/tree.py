"""What the tree holds, for the tests that read it."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVICES = ("auth", "catalog", "notifier", "web")


def tracked_files() -> list[Path]:
    """Return every file that belongs to the project: in git, or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = (ROOT / name for name in listed.stdout.splitlines())
    return [path for path in paths if path.is_file()]


def documented_variables() -> set[str]:
    """Return the variables of the tables in docs/operations.md: those in the first column."""
    rows = re.findall(r"^\| ((?:`PORTUS_[A-Z0-9_]+` ?)+)\|", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"PORTUS_[A-Z0-9_]+", row)}
