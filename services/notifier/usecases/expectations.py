"""Changes of many rows say how many they expect, so that nobody changes what they have not seen."""


class CountDiffers(Exception):
    """A filter is about more or fewer rows than its caller has seen.

    Args:
        expected: what the caller said.
        found: what there are.
    """

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"You expected {expected}, there are {found} now: look again, and send expect={found}.")
