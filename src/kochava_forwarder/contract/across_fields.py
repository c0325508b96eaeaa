"""What is wrong between the fields of a message: which device it is of, and whether its user agreed. Pure.

A message is judged as a whole when each field is right, and by what can be read of it when one is not, so that its
publisher learns of every problem at once. The tags are those of `models`.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pydantic_core import PydanticCustomError

from kochava_forwarder.contract import identifiers
from kochava_forwarder.contract.models import SHAPES, KochavaEvent
from kochava_forwarder.contract.problems import Problem


def problems_of(event: KochavaEvent) -> list[Problem]:
    """Return what is wrong between the fields of a message that are each right."""
    data = event.data
    problems = _identity_problems(event.action, event.kochava_device_id, data.device_ids or {})
    if data.gdpr_privacy_consent is not None:
        problems += _gdpr_problems(vars(data.gdpr_privacy_consent), has_ip=bool(data.origination_ip))
    return problems


def problems_of_readable(nested: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong between the fields of a message, whatever else is wrong inside them."""
    problems: list[Problem] = []
    data = nested.get("data")
    if not isinstance(data, dict):
        return problems
    action = nested["action"]
    with suppress(PydanticCustomError):
        device_id = identifiers.device_id(nested["kochava_device_id"])
        if "device_ids" in data or not SHAPES[action].names_device:
            problems += _identity_problems(action, device_id, identifiers.device_ids(data.get("device_ids")))
    consent = data.get("gdpr_privacy_consent")
    if isinstance(consent, dict):
        given = {name: None if value == "" else value for name, value in consent.items()}
        problems += _gdpr_problems(given, has_ip=bool(data.get("origination_ip")))
    return problems


def _identity_problems(action: str, device_id: str, device_ids: Mapping[str, str]) -> list[Problem]:
    if action == "update":
        return [] if device_id else [(("kochava_device_id",), "is needed: an update is of a device that is known")]
    return [
        (("data", "device_ids", *path), text)
        for path, text in identifiers.identity_problems(device_id, device_ids)
    ]


def _gdpr_problems(consent: Mapping[str, Any], *, has_ip: bool) -> list[Problem]:
    path = ("data", "gdpr_privacy_consent")
    problems: list[Problem] = []
    if not has_ip and consent.get("gdpr_applies") is None:
        problems.append(((*path, "gdpr_applies"), "is needed when origination_ip is empty"))
    flags = [consent.get(name) for name in ("ad_user_data", "ad_personalization")]
    if consent.get("tc_string") is None and None in flags:
        wrong = "needs tc_string, or both ad_user_data and ad_personalization"
        if consent.get("gdpr_applies") in (0, False, "0", "false") and flags == [None, None]:
            wrong += " (leave the object out when GDPR does not apply)"
        problems.append((path, wrong))
    return problems
