"""The publishers' contract: a message body -> KochavaEvent, or InvalidEventError with every problem. Pure.

The body is read strictly, brought to the nested form, and validated by the models below; the rules that look at
more than one field follow. Facts about Kochava carry the tags of their source: SEED (Kochava, "Post-Install
Event Setup", 2018), DOC (other Kochava pages), SDK (Kochava's own SDKs), OURS (decided here).
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, PlainValidator, StringConstraints, ValidationError

from kochava_forwarder.contract import fields, strictjson
from kochava_forwarder.contract.problems import InvalidEventError, Problem, from_pydantic
from kochava_forwarder.contract.strictjson import Path, RepeatedKeys

MAX_DEPTH = 2  # keys above an object that the contract allows, as in data.event_data

type _NonEmpty = Annotated[str, StringConstraints(pattern=r"[^\s\x00-\x1f]")]
type _Flag = Annotated[int, PlainValidator(fields.flag)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)


class AppTrackingTransparency(_Part):
    """Apple's consent; without it Kochava assumes none on iOS 14+ and drops the IDFA (DOC)."""

    att: bool
    att_time: Annotated[int, PlainValidator(fields.epoch_seconds)] | None = None
    att_duration: Annotated[int | float, PlainValidator(fields.duration)] | None = None
    att_detail: Literal["authorized", "denied", "notDetermined", "restricted"] | None = None


class GdprPrivacyConsent(_Part):
    """Google's DMA consent for the EEA (DOC)."""

    gdpr_applies: _Flag | None = None
    tc_string: _NonEmpty | None = None
    ad_user_data: _Flag | None = None
    ad_personalization: _Flag | None = None


class EventData(_Part):
    """``data``: all but the four top-level keys. Other keys pass through when they are scalars (OURS)."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[Any, PlainValidator(fields.scalar)]]

    usertime: Annotated[int, PlainValidator(fields.usertime)]
    app_version: str | None = None
    device_ua: Annotated[str, PlainValidator(fields.user_agent)]
    origination_ip: Annotated[str, PlainValidator(fields.ip_address)]
    device_ver: Annotated[str, PlainValidator(fields.device_ver)]
    device_ids: Annotated[dict[str, str], PlainValidator(fields.device_ids)]
    event_name: _NonEmpty
    currency: Annotated[str, PlainValidator(fields.currency)] | None = None
    event_data: Annotated[dict[str, Any] | str, PlainValidator(fields.parameters)] | None = None
    device_limit_tracking: bool | None = None
    app_tracking_transparency: AppTrackingTransparency | None = None
    gdpr_privacy_consent: GdprPrivacyConsent | None = None


class KochavaEvent(_Part):
    """One event as Kochava takes it, in the nested form (DOC)."""

    action: Literal["event"]
    kochava_app_id: _NonEmpty
    kochava_device_id: str
    event_id: _NonEmpty | None = None
    data: EventData


# The 2018 table lists device and transport fields beside `action` (SEED); only these two belong inside.
FLAT_FIELDS = frozenset(EventData.model_fields) - {"event_name", "event_data"}
TOP_FIELDS = frozenset(KochavaEvent.model_fields) - {"data"}
KNOWN_FIELDS = (*KochavaEvent.model_fields, *EventData.model_fields)


def parse_event(body: str, *, sent_at: int, default_app_id: str | None) -> KochavaEvent:
    """Return the event that a message body describes.

    Args:
        body: the message body, in Kochava's nested form or in the flat form of 2018.
        sent_at: when SQS took the message, in seconds since 1970; the event's time when it names none, because
            the queue adds delay (OURS).
        default_app_id: Kochava's app GUID for events that name none.

    Raises:
        InvalidEventError: the body breaks the contract.
    """
    try:
        tree = strictjson.decode(body)
    except strictjson.NotJsonError as error:
        raise InvalidEventError([((), str(error))]) from None
    if not isinstance(tree, dict):
        raise InvalidEventError([((), "must be a JSON object")])
    problems = _repeated_keys(tree)
    nested, lifted = _nest(tree, problems)
    _fill(nested, {"action": "event", "kochava_app_id": default_app_id, "kochava_device_id": ""})
    data = nested.get("data")
    if isinstance(data, dict):
        _fill(
            data, {"usertime": sent_at, "device_ver": "", "currency": fields.currency_of(data.get("event_data"))}
        )
        problems += _across_fields(nested["kochava_device_id"], data)
        problems += _misplaced(nested, data)
    try:
        event = KochavaEvent.model_validate(nested)
    except ValidationError as error:
        problems += from_pydantic(error, KNOWN_FIELDS)
    surrogates = strictjson.lone_surrogates(body, tree, MAX_DEPTH)
    if problems or surrogates:
        problems = [(_as_written(path, lifted), text) for path, text in problems]
        problems += ((path, "is not valid Unicode") for path in surrogates)
        raise InvalidEventError(list(dict.fromkeys(problems)))
    return event


def _nest(tree: dict[str, Any], problems: list[Problem]) -> tuple[dict[str, Any], frozenset[str]]:
    """Move the flat form's fields into ``data``; return the nested form and the names that were moved."""
    nested = dict(tree)
    if isinstance(tree.get("data"), dict) and FLAT_FIELDS.isdisjoint(tree):
        nested["data"] = dict(tree["data"])
        return nested, frozenset()
    flat = {name: nested.pop(name) for name in tree if name in FLAT_FIELDS}
    inner = tree.get("data", {})
    if not isinstance(inner, dict):
        return nested, frozenset()
    problems += (
        ((name,), "differs from data." + name)
        for name, value in flat.items()
        if name in inner and inner[name] != value
    )
    nested["data"] = flat | inner
    return nested, frozenset(flat.keys() - inner.keys())


def _fill(fields: dict[str, Any], defaults: Mapping[str, Any]) -> None:
    """Fill in what is missing or null; some keys must be sent even when their value is unknown (SEED)."""
    for name, default in defaults.items():
        if fields.get(name) is None and default is not None:
            fields[name] = default


def _repeated_keys(tree: dict[str, Any], path: Path = ()) -> list[Problem]:
    """Find keys given twice as deep as the contract allows objects at all."""
    problems: list[Problem] = []
    if isinstance(tree, RepeatedKeys):
        problems += (((*path, name), "is given twice") for name in tree.repeated)
    if len(path) < MAX_DEPTH:
        for name, member in tree.items():
            if isinstance(member, dict):
                problems += _repeated_keys(member, (*path, name))
    return problems


def _across_fields(device_id: Any, data: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong between fields, whatever else is wrong inside them."""
    identifiers = data.get("device_ids")
    if (
        isinstance(identifiers, dict)
        and not device_id
        and all(map(fields.identifies_nobody, identifiers.values()))
    ):
        yield ("data", "device_ids"), "names no device, and kochava_device_id neither"
    parameters = data.get("event_data")
    currency = data.get("currency")
    inner = parameters.get("currency") if isinstance(parameters, dict) else None
    if isinstance(currency, str) and isinstance(inner, str) and currency.upper() != inner.upper():
        yield ("data", "currency"), "differs from data.event_data.currency"
    consent = data.get("gdpr_privacy_consent")
    if isinstance(consent, dict):
        yield from _gdpr_problems(consent, has_ip=bool(data.get("origination_ip")))


def _misplaced(nested: Mapping[str, Any], data: dict[str, Any]) -> Iterator[Problem]:
    """Take out of ``data`` what belongs beside it: Kochava would get it where nobody reads it."""
    for name in sorted(TOP_FIELDS & data.keys()):
        if data.pop(name) != nested.get(name):
            yield ("data", name), "belongs beside data, not inside it"


def _gdpr_problems(consent: Mapping[str, Any], *, has_ip: bool) -> Iterator[Problem]:
    path = ("data", "gdpr_privacy_consent")
    if not has_ip and consent.get("gdpr_applies") is None:
        yield (*path, "gdpr_applies"), "is needed when origination_ip is empty"
    given = [consent.get(name) is not None for name in ("ad_user_data", "ad_personalization")]
    if consent.get("tc_string") is None and not all(given):
        yield path, "needs tc_string, or both ad_user_data and ad_personalization"


def _as_written(path: Path, lifted: frozenset[str]) -> Path:
    """Return where the publisher wrote it: the flat form's fields were moved into ``data``."""
    return path[1:] if len(path) > 1 and path[0] == "data" and path[1] in lifted else path
