"""What of an event is not sent to Kochava, as the settings ask. Pure.

Kochava's privacy profiles do not apply to server-to-server traffic (DOC), so that what must not leave is taken out
before it is sent.
"""

import ipaddress
from enum import StrEnum
from typing import Any, NamedTuple

from kochava_forwarder.contract.identifiers import NotedIdentifiers, identity_problems, is_advertising_id
from kochava_forwarder.contract.models import Data, EventData, KochavaEvent, UpdateData
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
    data = event.data
    changes: dict[str, Any] = {}
    if data.origination_ip and privacy.origination_ip is IpPrecision.NETWORK:
        changes["origination_ip"] = _network(data.origination_ip)
    if privacy.advertising_ids is AdvertisingIds.CONSENTED and _is_refused(data):
        if isinstance(data, UpdateData):
            raise InvalidEventError([((), "has nothing to send but the idfa, to which the user did not agree")])
        if data.device_ids:
            changes["device_ids"] = _without_advertising_ids(event.kochava_device_id, data.device_ids)
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


def _without_advertising_ids(device_id: str, identifiers: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in identifiers.items() if not is_advertising_id(name)}
    if isinstance(identifiers, NotedIdentifiers):
        misshapen = {name: wrong for name, wrong in identifiers.misshapen.items() if name in kept}
        kept = NotedIdentifiers(kept, misshapen, renamed=identifiers.renamed)
    if len(kept) < len(identifiers) and identity_problems(device_id, kept):
        raise InvalidEventError(
            [((), "names its device by advertising ids only, to which the user did not agree")]
        )
    return kept
