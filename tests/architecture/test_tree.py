"""The tree builds anywhere: it names no package registry and no folder of a developer."""

import re

from tests.architecture.tree import ROOT, tracked_files

# In pieces, so that this file does not find itself.
_FOREIGN = re.compile(
    "|".join(
        (
            r"pypi\." + "org",
            r"python" + r"hosted\.org",
            r"npm" + r"js\.(?:org|com)",
            r"deb\." + r"debian\.org",
            r"archive\." + r"ubuntu\.com",
            r"--" + "(?:extra-)?index-url",
            r"/ho" + r"me/\w",
            r"(?<![\w.])/ro" + r"ot/",
            r"(?<![\w./])/wo" + r"rk/",
        )
    )
)


def test_no_file_names_a_package_registry_or_a_developers_folder() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked_files()
        for match in _FOREIGN.finditer(path.read_bytes().decode(errors="replace"))
    ]

    assert found == []
