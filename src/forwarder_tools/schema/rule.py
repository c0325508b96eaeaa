"""A rule for a single value, as JSON Schema. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

type Schema = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """What a function of the contract takes.

    Attributes:
        name: the schema's name in ``$defs``.
        function: what the models validate the value with.
        types: the JSON types that it takes.
        description: what it takes, and what it makes of it.
        examples: values that it takes.
        source: the tags of what it says, as in `kochava_forwarder.contract.models`.
        keywords: what else JSON Schema can say of it.
    """

    name: str
    function: Callable[..., Any]
    types: Sequence[str]
    description: str
    examples: Sequence[Any]
    source: str
    keywords: Schema = field(default_factory=dict)

    def schema(self) -> Schema:
        """Return the rule for ``$defs``."""
        types = list(self.types)
        return {
            "description": self.description,
            "type": types if len(types) > 1 else types[0],
            **self.keywords,
            "examples": list(self.examples),
            "$comment": self.source,
        }


NULL: Schema = {"type": "null"}


def text(pattern: str) -> Schema:
    """Return the schema of a text of this pattern."""
    return {"type": "string", "pattern": pattern}


def ref(name: str) -> Schema:
    """Return a reference to a rule, a part of one or a model."""
    return {"$ref": f"#/$defs/{name}"}
