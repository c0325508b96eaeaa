"""What the template deploys: a small reading of CloudFormation's functions.

The template is resolved just as CloudFormation would resolve it, so that what is looked at is what is deployed.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import yaml

from forwarder_tools.processes import ROOT

TEMPLATE_FILE = ROOT / "template.yaml"

type Json = Any  # what a template holds: any nesting of dict, list and scalars
type Parameters = dict[str, Json]


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms (`!Ref x`) as their long ones (`{Ref: x}`)."""


def _long_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Json]:
    value: Json
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(cast("yaml.MappingNode", node), deep=True)
    if suffix in {"Ref", "Condition"}:
        return {suffix: value}
    return {f"Fn::{suffix}": value.split(".", 1) if suffix == "GetAtt" else value}


_Loader.add_multi_constructor("!", _long_form)

TEMPLATE: dict[str, Json] = yaml.load(TEMPLATE_FILE.read_text(), Loader=_Loader)  # noqa: S506 - a SafeLoader
PARAMETERS: dict[str, dict[str, Json]] = TEMPLATE["Parameters"]
DEFAULTS: Parameters = {name: parameter["Default"] for name, parameter in PARAMETERS.items()}

_NO_VALUE = object()


def resolve(
    node: Json, parameters: Parameters, template: Mapping[str, Json] = TEMPLATE, *, readable: bool = True
) -> Json:
    """Return the node as CloudFormation deploys it.

    Args:
        node: a part of the template.
        parameters: a value for each parameter.
        template: where the conditions and mappings are that the node names.
        readable: a reference to what AWS alone knows becomes a name to read, `EventQueue.Arn`; else it stays one.
    """

    def each(value: Json) -> Json:
        return resolve(value, parameters, template, readable=readable)

    def reference(name: str) -> Json:
        if name == "AWS::NoValue":
            return _NO_VALUE
        return parameters.get(name, name if readable else {"Ref": name})

    def substituted(argument: Json) -> Json:
        text, given = argument if isinstance(argument, list) else (argument, {})
        values = each(given)
        kept = {name: value for name, value in values.items() if isinstance(value, dict)}
        known = {**parameters, **values, **{name: f"${{{name}}}" for name in kept}}
        filled = re.sub(
            r"\$\{([^}]+)}", lambda match: str(known.get(match[1], match[1] if readable else match[0])), text
        )
        return {"Fn::Sub": [filled, kept] if kept else filled} if "${" in filled else filled

    def chosen(condition: str, yes: Json, no: Json) -> Json:
        return each(yes if each(template["Conditions"][condition]) else no)

    def mapped(name: str, key: Json, attribute: str) -> Json:
        return template["Mappings"][name][str(each(key))][attribute]

    functions: dict[str, Callable[[Json], Json]] = {
        "Ref": reference,
        "Condition": lambda name: each(template["Conditions"][name]),
        "Fn::Sub": substituted,
        "Fn::GetAtt": lambda path: ".".join(path) if readable else {"Fn::GetAtt": path},
        "Fn::Split": lambda arguments: str(each(arguments[1])).split(arguments[0]),
        "Fn::Select": lambda arguments: each(arguments[1])[int(arguments[0])],
        "Fn::Equals": lambda pair: len({str(each(value)) for value in pair}) == 1,
        "Fn::Not": lambda condition: not each(condition[0]),
        "Fn::And": lambda conditions: all(each(condition) for condition in conditions),
        "Fn::Or": lambda conditions: any(each(condition) for condition in conditions),
        "Fn::If": lambda arguments: chosen(*arguments),
        "Fn::FindInMap": lambda arguments: mapped(*arguments),
    }
    match node:
        case dict():
            name = next(iter(node), None)
            if len(node) == 1 and name in functions and (name != "Condition" or isinstance(node[name], str)):
                return functions[name](node[name])
            found = {key: each(value) for key, value in node.items()}
            return {key: value for key, value in found.items() if value is not _NO_VALUE}
        case list():
            return [value for value in map(each, node) if value is not _NO_VALUE]
        case _:
            return node


def present(
    items: Mapping[str, Json], parameters: Parameters, template: Mapping[str, Json] = TEMPLATE
) -> dict[str, Json]:
    """Return those of a template's resources or outputs whose condition holds."""
    return {
        name: item
        for name, item in items.items()
        if "Condition" not in item or resolve({"Condition": item["Condition"]}, parameters, template)
    }


def values(parameter: str) -> list[Json]:
    """Return every value CloudFormation accepts, or the ends of the range and the default."""
    rules = PARAMETERS[parameter]
    if "AllowedValues" in rules:
        return list(rules["AllowedValues"])
    return list(dict.fromkeys(rules[end] for end in ("MinValue", "Default", "MaxValue")))


def refusals(given: Mapping[str, Json]) -> list[str]:
    """Return what the template's rules say against these parameters; the others have their defaults."""
    parameters = {**DEFAULTS, **given}
    return [
        assertion["AssertDescription"]
        for rule in TEMPLATE["Rules"].values()
        if "RuleCondition" not in rule or resolve(rule["RuleCondition"], parameters)
        for assertion in rule["Assertions"]
        if not resolve(assertion["Assert"], parameters)
    ]


def accepts(parameter: str, value: str) -> bool:
    """Return whether CloudFormation takes this text for the parameter."""
    return bool(re.search(PARAMETERS[parameter]["AllowedPattern"], value))


class Stack:
    """What the template deploys under some parameters; what a condition leaves out is not there.

    Args:
        given: the parameters that differ from their defaults.
    """

    def __init__(self, given: Mapping[str, Json]) -> None:
        self.given = given
        self.parameters: Parameters = {**DEFAULTS, **given}
        self.resources: dict[str, Json] = resolve(present(TEMPLATE["Resources"], self.parameters), self.parameters)
        self.outputs: dict[str, Json] = resolve(present(TEMPLATE["Outputs"], self.parameters), self.parameters)
        self.fifo = self.parameters["QueueType"] == "fifo"

    def __repr__(self) -> str:
        return f"Stack({self.given})"

    def properties(self, resource: str) -> dict[str, Json]:
        """Return the properties of the resource with this logical id."""
        return cast("dict[str, Json]", self.resources[resource]["Properties"])

    @property
    def source(self) -> dict[str, Json]:
        """Return the event source mapping's properties."""
        return self.properties("ForwarderFunctionBatch")

    @property
    def rights(self) -> dict[str, dict[str, Json]]:
        """Return the statements of the function's role, by their names."""
        (policy,) = self.properties("ForwarderRole")["Policies"]
        return {statement["Sid"]: statement for statement in policy["PolicyDocument"]["Statement"]}

    def of_type(self, kind: str) -> Iterator[dict[str, Json]]:
        """Return the properties of each resource of this type."""
        return (item["Properties"] for item in self.resources.values() if item["Type"] == kind)
