"""What of an event is not sent to Kochava, as the settings ask. Pure.

Kochava's privacy profiles do not apply to server-to-server traffic (DOC), so that what must not leave is taken out
before it is sent.
"""

import ipaddress
from enum import StrEnum
from typing import Any, NamedTuple

from kochava_forwarder.contract.identifiers import NotedIdentifiers, identity_problems, is_advertising_id
from kochava_forwarder.contract.models import Data, EventData, IdentityLinkData, KochavaEvent, UpdateData
from kochava_forwarder.contract.problems import InvalidEventError

PREFIXES = {4: 24, 6: 48}  # bits of an address that name a network of many users, by version (OURS)


class IpPrecision(StrEnum):
    """How much of a user's address is sent."""

    FULL = "full"
    NETWORK = "network"


class AdvertisingIds(StrEnum):
    """Whether advertising ids are sent when the event says that its user did not agree."""

    ALWAYS = "always"
    CONSENTED = "consented"


class Privacy(NamedTuple):
    """What is left out.

    Args:
        origination_ip: how much of the user's address is sent.
        advertising_ids: whether advertising ids are sent without consent.
        dropped_parameters: the keys of ``event_data`` that are not sent.
    """

    origination_ip: IpPrecision = IpPrecision.FULL
    advertising_ids: AdvertisingIds = AdvertisingIds.ALWAYS
    dropped_parameters: frozenset[str] = frozenset()


SEND_ALL = Privacy()


def without_private(event: KochavaEvent, privacy: Privacy) -> KochavaEvent:
    """Return `event` without what `privacy` leaves out.

    Raises:
        InvalidEventError: nothing that names the device would be left.
    """
    if privacy == SEND_ALL:
        return event
    if privacy.advertising_ids is AdvertisingIds.CONSENTED and _is_refused(event.data):
        event = _without_advertising_ids(event)
    data = event.data
    changes: dict[str, Any] = {}
    if data.origination_ip and privacy.origination_ip is IpPrecision.NETWORK:
        changes["origination_ip"] = _network(data.origination_ip)
    if isinstance(data, EventData) and isinstance(data.event_data, dict):
        kept = {name: value for name, value in data.event_data.items() if name not in privacy.dropped_parameters}
        changes["event_data"] = kept
    return event.model_copy(update={"data": data.model_copy(update=changes)})


def _network(address: str) -> str:
    version = ipaddress.ip_address(address).version
    return str(ipaddress.ip_network(f"{address}/{PREFIXES[version]}", strict=False).network_address)


def _is_refused(data: Data) -> bool:
    """Tell whether an event says that its user did not agree: by ATT, by GDPR, or by limiting ad tracking.

    A consent that is not there refuses nothing, and what a ``tc_string`` says is not read.
    """
    if data.device_limit_tracking or ((att := data.app_tracking_transparency) and not att.att):
        return True
    gdpr = data.gdpr_privacy_consent
    return gdpr is not None and gdpr.gdpr_applies != 0 and 0 in (gdpr.ad_user_data, gdpr.ad_personalization)


def _without_advertising_ids(event: KochavaEvent) -> KochavaEvent:
    """Return `event` without advertising ids, whatever object they are in, and without what has an id's value.

    An advertising id inside a text (a bare ``event_data``, a URL's query) is not looked for.
    """
    data = event.data
    if isinstance(data, UpdateData):
        raise InvalidEventError([((), "has nothing to send but the idfa, to which the user did not agree")])
    left_out: set[str] = set()
    changes = {name: _agreed(value, left_out) for name, value in vars(data).items() if isinstance(value, dict)}
    extra = _agreed(data.model_extra or {}, left_out)
    device_id = "" if _bare(event.kochava_device_id) in left_out else event.kochava_device_id
    identifiers = data.device_ids or {}
    kept = {name: value for name, value in changes.get("device_ids", {}).items() if _bare(value) not in left_out}
    if isinstance(identifiers, NotedIdentifiers):
        misshapen = {name: wrong for name, wrong in identifiers.misshapen.items() if name in kept}
        kept = NotedIdentifiers(kept, misshapen, renamed=identifiers.renamed)
    if identity_problems(device_id, kept):
        raise InvalidEventError(
            [((), "names its device by advertising ids only, to which the user did not agree")]
        )
    if isinstance(data, IdentityLinkData) and not changes["identity_link"]:
        raise InvalidEventError([((), "links its user by advertising ids only, to which the user did not agree")])
    if identifiers:
        changes["device_ids"] = kept
    fewer = data.model_copy(update=changes)
    for name in (fewer.model_extra or {}).keys() - extra.keys():
        del fewer.__pydantic_extra__[name]
    return event.model_copy(update={"kochava_device_id": device_id, "data": fewer})


def _agreed(value: Any, left_out: set[str]) -> Any:
    """Return a JSON value without keys that name advertising ids; the ids under them go into `left_out`."""
    if isinstance(value, dict):
        kept = {}
        for name, member in value.items():
            if not is_advertising_id(name):
                kept[name] = _agreed(member, left_out)
            elif isinstance(member, str):
                left_out.add(_bare(member))
        return kept
    return [_agreed(member, left_out) for member in value] if isinstance(value, list) else value


def _bare(identifier: str) -> str:
    """Return an identifier without dashes, in lower case: what names the same device however it is written."""
    return identifier.strip().replace("-", "").lower()
