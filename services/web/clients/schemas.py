"""What the answers of peers are read with."""

from datetime import UTC
from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, fields, post_load


class Made(Schema):
    """Loads into a dataclass of the same fields."""

    makes: ClassVar[type]

    class Meta:
        unknown = EXCLUDE

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> Any:
        return self.makes(**data)


class Text(fields.String):
    """A string, or ``None``."""

    def __init__(self) -> None:
        super().__init__(load_default=None, allow_none=True)


class Texts(fields.List[str]):
    """Strings."""

    def __init__(self) -> None:
        super().__init__(fields.String(), load_default=list)


class Moment(fields.AwareDateTime):
    """A moment, or ``None``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, format="iso", default_timezone=UTC, allow_none=True, load_default=None)


class Pairs(fields.Dict):
    """Strings by name."""

    def __init__(self) -> None:
        super().__init__(keys=fields.String(), values=fields.String(), load_default=dict)
