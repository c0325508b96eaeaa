"""What CloudFormation makes of the template, by SAM's own translation, and what cfn-lint says of it.

Runs in SAM's environment, as a program: takes sets of parameters by name, as JSON, and prints for each what it
deploys, with cfn-lint's findings. Conditions are decided before cfn-lint looks, so that it sees the very resources
that these parameters deploy.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from copy import deepcopy

from cfnlint.config import ConfigMixIn
from cfnlint.decode.decode import decode_str
from cfnlint.runner import Runner
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from tests.cloudformation import DEFAULTS, TEMPLATE_FILE, Json, present, resolve

REGION = "us-east-1"
SOURCE = yaml_parse(TEMPLATE_FILE.read_text())
SOURCE["Resources"]["ForwarderFunction"]["Properties"]["CodeUri"] = "s3://bucket/key"  # as `sam deploy` does


def deployed(given: Mapping[str, Json]) -> dict[str, Json]:
    """Return the resources and outputs with these parameters, and the defaults for all others."""
    parameters = {**DEFAULTS, **given}
    translated = Translator({}, Parser()).translate(deepcopy(SOURCE), parameters)  # which changes its input
    parts = {name: present(translated[name], parameters, translated) for name in ("Resources", "Outputs")}
    resolved: dict[str, Json] = resolve(parts, parameters, translated, readable=False)
    for item in (resolved["Resources"] | resolved["Outputs"]).values():
        item.pop("Condition", None)
    return resolved


def references(node: Json) -> Iterator[str]:
    """Yield the name of each resource, or value of AWS, that a part of a template refers to."""
    match node:
        case {"Ref": name}:
            yield name
        case {"Fn::GetAtt": path}:
            yield path[0]
        case {"Fn::Sub": [text, given]}:
            yield from set(re.findall(r"\$\{([\w:]+)", text)) - given.keys()
            yield from references(given)
        case {"Fn::Sub": text}:
            yield from re.findall(r"\$\{([\w:]+)", text)
        case dict():
            for value in node.values():
                yield from references(value)
        case list():
            for value in node:
                yield from references(value)


def differing(template: Mapping[str, Json], other: Mapping[str, Json]) -> dict[str, Json]:
    """Return what is not the same in another template, with what it refers to: cfn-lint looks at less then."""
    outputs = {name: item for name, item in template["Outputs"].items() if item != other["Outputs"].get(name)}
    resources = template["Resources"]
    kept = {name: item for name, item in resources.items() if item != other["Resources"].get(name)}
    while more := {*references(outputs), *references(kept)} & resources.keys() - kept.keys():
        kept |= {name: resources[name] for name in more}
    return {"Resources": kept, **({"Outputs": outputs} if outputs else {})}


def findings(linter: Runner, template: Mapping[str, Json]) -> list[str]:
    """Return what cfn-lint says against a template: errors, warnings and advice."""
    read, problems = decode_str(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", **template}, indent=1))
    matches = problems or linter.validate_template(read)
    return [f"{match.rule.id} {match.message} ({'/'.join(map(str, match.path or ()))})" for match in matches]


def main() -> None:
    """Answer what standard input asks."""
    linter = Runner(ConfigMixIn(regions=[REGION]))
    default = deployed({})
    answer: dict[str, Json] = {"default": {"template": default, "findings": findings(linter, default)}}
    for name, given in json.load(sys.stdin).items():
        template = deployed(given)
        lost = {
            f"{name}: there is no {reference}"
            for name, item in (template["Resources"] | template["Outputs"]).items()
            for reference in references(item)
            if ":" not in reference and reference not in template["Resources"]
        }
        answer[name] = {
            "template": template,
            "findings": sorted(lost) or findings(linter, differing(template, default)),
        }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
