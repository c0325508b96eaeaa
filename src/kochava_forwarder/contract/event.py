"""The publishers' contract: a message body -> KochavaEvent, or InvalidEventError with every problem. Pure.

The body is read strictly and brought to the nested form; what has one reading is normalised and validated by the
models below; the rules that look at more than one field follow. Facts about Kochava carry the tags of their
source: SEED (Kochava, "Post-Install Event Setup", 2018), DOC (other Kochava pages), SDK (Kochava's own SDKs),
OURS (decided here).
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationError
from pydantic_core import PydanticCustomError

from kochava_forwarder.contract import addresses, currency, fields, identifiers, strictjson, times, user_agent
from kochava_forwarder.contract.problems import InvalidEventError, Problem, from_pydantic
from kochava_forwarder.contract.strictjson import Path, RepeatedKeys

MAX_DEPTH = 2  # keys above an object that the contract allows, as in data.event_data

type _Flag = Annotated[int, PlainValidator(fields.flag)]


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


class EventData(_Part):
    """``data``: all but the four top-level keys. Other keys pass through when they are scalars (OURS)."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[Any, PlainValidator(fields.scalar)]]

    usertime: Annotated[int, PlainValidator(times.epoch_seconds)]
    app_version: Annotated[str, PlainValidator(fields.version)] | None = None
    device_ua: Annotated[str, PlainValidator(user_agent.user_agent)]
    origination_ip: Annotated[str, PlainValidator(addresses.ip_address)]
    device_ver: Annotated[str, PlainValidator(fields.version)]
    device_ids: Annotated[dict[str, str], PlainValidator(identifiers.device_ids)]
    event_name: Annotated[str, PlainValidator(fields.event_name)]
    currency: str | None = None  # `currency.settle` has read it
    event_data: Annotated[dict[str, Any] | str, PlainValidator(fields.parameters)] | None = None
    device_limit_tracking: Annotated[bool, PlainValidator(fields.optional_truth)] | None = None
    app_tracking_transparency: AppTrackingTransparency | None = None
    gdpr_privacy_consent: GdprPrivacyConsent | None = None


class KochavaEvent(_Part):
    """One event as Kochava takes it, in the nested form (DOC)."""

    action: Literal["event"]
    kochava_app_id: Annotated[str, PlainValidator(fields.app_id)]
    kochava_device_id: Annotated[str, PlainValidator(identifiers.device_id)]
    event_id: Annotated[str, PlainValidator(fields.event_id)] | None = None
    data: EventData


# The 2018 table lists device and transport fields beside `action` (SEED); only these two belong inside.
FLAT_FIELDS = frozenset(EventData.model_fields) - {"event_name", "event_data"}
TOP_FIELDS = frozenset(KochavaEvent.model_fields) - {"data"}
KNOWN_FIELDS = (*KochavaEvent.model_fields, *EventData.model_fields)
OBJECTS = ("app_tracking_transparency", "gdpr_privacy_consent")  # the models inside EventData


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
    tree = _decode(body)
    problems = _repeated_keys(tree)
    nested, lifted = _nest(tree, problems)
    if nested.get("kochava_app_id") is None and default_app_id is not None:
        nested["kochava_app_id"] = default_app_id
    _fill(nested, "action", "event")
    _fill(nested, "kochava_device_id", "")
    data = nested.get("data")
    if isinstance(data, dict):
        _fill_data(data, sent_at)
        if isinstance(data.get("event_data"), str):
            problems += _read_json_text(data)
        problems += currency.settle(data)
        if not TOP_FIELDS.isdisjoint(data):
            problems += _misplaced(nested, data)
    event = None
    try:
        event = KochavaEvent.model_validate(nested)
    except ValidationError as error:
        problems += from_pydantic(error, KNOWN_FIELDS)
    problems += _across_fields(event) if event else _across_readable_fields(nested)
    surrogates = strictjson.lone_surrogates(body, tree, MAX_DEPTH)
    if event is None or problems or surrogates:
        problems = [(_as_written(path, lifted), text) for path, text in problems]
        problems += ((path, "is not valid Unicode") for path in surrogates)
        raise InvalidEventError(list(dict.fromkeys(problems)))
    return event


def _decode(body: str) -> dict[str, Any]:
    try:
        tree = strictjson.decode(body)
    except strictjson.NotJsonError as error:
        raise InvalidEventError([((), str(error))]) from None
    if not isinstance(tree, dict):
        raise InvalidEventError([((), "must be a JSON object")])
    if "Records" in tree:
        raise InvalidEventError([(("Records",), "this is a whole Lambda event: publish a record's body")])
    return tree


# --- the form -----------------------------------------------------------------------------------------------


def _nest(tree: dict[str, Any], problems: list[Problem]) -> tuple[dict[str, Any], frozenset[str]]:
    """Move the flat form's fields into ``data``; return the nested form and the names that were moved."""
    nested = dict(tree)
    data = tree.get("data")
    if isinstance(data, dict) and FLAT_FIELDS.isdisjoint(tree):
        nested["data"] = dict(data)
        return nested, frozenset()
    flat = {name: nested.pop(name) for name in tree if name in FLAT_FIELDS}
    inner = {} if data == [] or "data" not in tree else data  # PHP prints an empty array so
    if not isinstance(inner, dict):
        return nested, frozenset()
    problems += (
        ((name,), "differs from data." + name)
        for name, value in flat.items()
        if name in inner and not _is_same(inner[name], value)
    )
    nested["data"] = flat | inner
    return nested, frozenset(flat.keys() - inner.keys())


def _is_same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal; to Python, true is 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def _fill(values: dict[str, Any], name: str, default: Any) -> None:
    """Fill in what is missing or null; some keys must be sent even when their value is unknown (SEED)."""
    if values.get(name) is None:
        values[name] = default


def _fill_data(data: dict[str, Any], sent_at: int) -> None:
    _fill(data, "device_ver", "")
    usertime = data.get("usertime")
    if usertime is None or (isinstance(usertime, str) and not usertime.strip()):
        data["usertime"] = sent_at
    for name in OBJECTS:
        if data.get(name) == []:  # PHP prints an empty array so
            data[name] = {}


def _read_json_text(data: dict[str, Any]) -> list[Problem]:
    """Read ``event_data`` that is the JSON text of an object as that object; any other text stays one (SEED)."""
    text: str = data["event_data"]
    if not text.lstrip().startswith(("{", "[")):
        return []
    try:
        parameters = strictjson.decode(text)
    except strictjson.NotJsonError:
        return []
    if parameters != [] and not isinstance(parameters, dict):
        return []
    data["event_data"] = parameters or {}
    path = ("data", "event_data")
    surrogates = strictjson.lone_surrogates(text, parameters, 0)
    problems = [((*path, *inner), "is not valid Unicode") for inner in surrogates]
    return problems + _repeated_keys_of(parameters, path)


def _repeated_keys(tree: dict[str, Any]) -> list[Problem]:
    """Find keys given twice as deep as the contract allows objects at all."""
    problems = _repeated_keys_of(tree, ())
    for name, member in tree.items():
        if isinstance(member, dict):
            problems += _repeated_keys_of(member, (name,))
            for inner_name, inner in member.items():
                if isinstance(inner, RepeatedKeys):
                    problems += _repeated_keys_of(inner, (name, inner_name))
    return problems


def _repeated_keys_of(value: Any, path: Path) -> list[Problem]:
    if not isinstance(value, RepeatedKeys):
        return []
    return [((*path, name), "is given twice") for name in value.repeated]


def _misplaced(nested: Mapping[str, Any], data: dict[str, Any]) -> Iterator[Problem]:
    """Take out of ``data`` what belongs beside it: Kochava would get it where nobody reads it."""
    for name in sorted(TOP_FIELDS & data.keys()):
        if not _is_same(data.pop(name), nested.get(name)):
            yield ("data", name), "belongs beside data, not inside it"


def _as_written(path: Path, lifted: frozenset[str]) -> Path:
    """Return where the publisher wrote it: the flat form's fields were moved into ``data``."""
    return path[1:] if len(path) > 1 and path[0] == "data" and path[1] in lifted else path


# --- across fields ------------------------------------------------------------------------------------------


def _across_fields(event: KochavaEvent) -> list[Problem]:
    """Return what is wrong between the fields of an event that are each right."""
    data = event.data
    problems = _identity_problems(event.kochava_device_id, data.device_ids)
    if data.gdpr_privacy_consent is not None:
        problems += _gdpr_problems(vars(data.gdpr_privacy_consent), has_ip=bool(data.origination_ip))
    return problems


def _across_readable_fields(nested: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong between the fields of an event, whatever else is wrong inside them."""
    problems: list[Problem] = []
    data = nested.get("data")
    if not isinstance(data, dict):
        return problems
    with suppress(KeyError, PydanticCustomError):
        device_id = identifiers.device_id(nested.get("kochava_device_id"))
        problems += _identity_problems(device_id, identifiers.device_ids(data["device_ids"]))
    consent = data.get("gdpr_privacy_consent")
    if isinstance(consent, dict):
        given = {name: None if value == "" else value for name, value in consent.items()}
        problems += _gdpr_problems(given, has_ip=bool(data.get("origination_ip")))
    return problems


def _identity_problems(device_id: str, device_ids: Mapping[str, str]) -> list[Problem]:
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
