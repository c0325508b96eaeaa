"""The messages that publishers may send, one model per action, in Kochava's nested form. Pure.

What each field may hold is said by the function beside it. Facts about Kochava carry the tags of their source:
SEED (Kochava, "Post-Install Event Setup", 2018), DOC (other Kochava pages), SDK (Kochava's own SDKs), PEER (other
senders), OURS (decided here).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, PlainValidator

from kochava_forwarder.contract import addresses, fields, identifiers, parameters, passed_on, times, user_agent

type _Flag = Annotated[int, PlainValidator(fields.flag)]
type _Version = Annotated[str, PlainValidator(fields.version)]
type _Address = Annotated[str, PlainValidator(addresses.ip_address)]
type _UserAgent = Annotated[str, PlainValidator(user_agent.user_agent)]
type _DeviceIds = Annotated[dict[str, str], PlainValidator(identifiers.device_ids)]
type _PassedOn = Annotated[dict[str, Any], PlainValidator(passed_on.passed_on)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)


class AppTrackingTransparency(_Part):
    """Apple's consent; without it Kochava assumes none on iOS 14+ and drops the IDFA (DOC)."""

    att: Annotated[bool, PlainValidator(fields.truth)]
    att_time: Annotated[int, PlainValidator(times.optional_epoch_seconds)] | None = None
    att_duration: Annotated[int | float, PlainValidator(fields.duration)] | None = None
    att_detail: Annotated[str, PlainValidator(fields.att_detail)] | None = None


class GdprPrivacyConsent(_Part):
    """Google's DMA consent for the EEA (DOC)."""

    gdpr_applies: _Flag | None = None
    tc_string: Annotated[str, PlainValidator(fields.tc_string)] | None = None
    ad_user_data: _Flag | None = None
    ad_personalization: _Flag | None = None


# --- data, by action ----------------------------------------------------------------------------------------


class _Data(_Part):
    """What ``data`` may have whatever the action. Other keys pass through when they are scalars (OURS)."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[Any, PlainValidator(parameters.scalar)]]

    usertime: Annotated[int, PlainValidator(times.epoch_seconds)]
    app_version: _Version | None = None
    device_limit_tracking: Annotated[bool, PlainValidator(fields.optional_truth)] | None = None
    app_tracking_transparency: AppTrackingTransparency | None = None
    gdpr_privacy_consent: GdprPrivacyConsent | None = None


class _DeviceData(_Data):
    """What attributes an event or an install to a device: each must be there (SEED, DOC)."""

    device_ua: _UserAgent
    origination_ip: _Address
    device_ver: _Version
    device_ids: _DeviceIds


class _KnownDeviceData(_Data):
    """What says more of a device that Kochava knows already: each may be there (OURS)."""

    device_ua: _UserAgent | None = None
    origination_ip: _Address | None = None
    device_ver: _Version | None = None
    device_ids: _DeviceIds | None = None


class EventData(_DeviceData):
    """``data`` of an event: what happened in an app (SEED)."""

    event_name: Annotated[str, PlainValidator(fields.event_name)]
    currency: str | None = None  # `currency.settle` has read it
    event_data: Annotated[dict[str, Any] | str, PlainValidator(parameters.parameters)] | None = None


class InstallData(_DeviceData):
    """``data`` of an install, with what networks know of it (DOC)."""

    ad_services_token: Annotated[str, PlainValidator(fields.text)] | None = None
    adservices_attribution_details: _PassedOn | None = None
    iad_attribution_details: _PassedOn | None = None
    install_referrer: _PassedOn | None = None
    conversion_data: _PassedOn | None = None


class UpdateData(_KnownDeviceData):
    """``data`` of an update: the IDFA that became known after Apple's consent (PEER)."""

    idfa: Annotated[str, PlainValidator(identifiers.idfa)]


class IdentityLinkData(_KnownDeviceData):
    """``data`` of an identity link: what the publisher calls the user of a device (SDK)."""

    identity_link: Annotated[dict[str, str], PlainValidator(identifiers.identity_link)]


# --- messages -----------------------------------------------------------------------------------------------


class _Message(_Part):
    kochava_app_id: Annotated[str, PlainValidator(fields.app_id)]
    kochava_device_id: Annotated[str, PlainValidator(identifiers.device_id)]
    event_id: Annotated[str, PlainValidator(fields.event_id)] | None = None


class AnyMessage(_Message):
    """What every action has, whatever else its message says."""

    model_config = ConfigDict(extra="ignore")


class Event(_Message):
    """What happened in an app (SEED)."""

    action: Literal["event"]
    data: EventData


class Install(_Message):
    """An app's first start on a device; Kochava must know it before the device's events (SEED)."""

    action: Literal["install"]
    app_ver: _Version | None = None
    data: InstallData


class Update(_Message):
    """What became known of a device after its install."""

    action: Literal["update"]
    data: UpdateData


class IdentityLink(_Message):
    """Who uses a device; sent with or after what it describes (DOC)."""

    action: Literal["identityLink"]
    data: IdentityLinkData


Data = EventData | InstallData | UpdateData | IdentityLinkData
KochavaEvent = Event | Install | Update | IdentityLink


class Shape(NamedTuple):
    """What the two forms of a body need to know of a model.

    Attributes:
        model: the message's model.
        top: the keys that stand beside ``data`` in the nested form.
        flat: the keys of ``data`` that stand beside it in the flat form: all but what describes the event itself,
            as the 2018 table lists them (SEED).
        known: all keys, for a guess at a misspelt one.
        names_device: whether ``data`` must say which device it is, and how it reached the publisher.
    """

    model: type[Event | Install | Update | IdentityLink]
    top: frozenset[str]
    flat: frozenset[str]
    known: tuple[str, ...]
    names_device: bool


def _shape(model: type[Event | Install | Update | IdentityLink], data: type[_Data]) -> Shape:
    top = frozenset(model.model_fields) - {"data"}
    flat = frozenset(data.model_fields) - {"event_name", "event_data"}
    known = (*model.model_fields, *data.model_fields)
    return Shape(model, top, flat, known, names_device=issubclass(data, _DeviceData))


SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        "event": _shape(Event, EventData),
        "install": _shape(Install, InstallData),
        "update": _shape(Update, UpdateData),
        "identityLink": _shape(IdentityLink, IdentityLinkData),
    }
)
