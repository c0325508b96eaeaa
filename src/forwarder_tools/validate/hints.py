"""What to do about a problem where what the publisher wrote tells more than the problem's kind does. Pure.

Keys are compared without case, `_` and `-` first, then with the names that other tools use, then by nearness. No
value of an event is in a hint, and of its keys only those that stand for one of the contract's.
"""

from __future__ import annotations

from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from kochava_forwarder.contract.envelopes import open_body
from kochava_forwarder.contract.form import settle_action
from kochava_forwarder.contract.models import SHAPES, AppTrackingTransparency, GdprPrivacyConsent
from kochava_forwarder.contract.names import squeezed
from kochava_forwarder.contract.problems import InvalidEventError, in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic import BaseModel

    from kochava_forwarder.contract.models import Shape
    from kochava_forwarder.contract.strictjson import Path

_CONSENT = "gdpr_privacy_consent"
_PARTS: Mapping[str, type[BaseModel]] = MappingProxyType(
    {"app_tracking_transparency": AppTrackingTransparency, _CONSENT: GdprPrivacyConsent}
)
_NEAR = 0.8  # of 1, as the contract has it


def _names(table: Mapping[str, str]) -> Mapping[str, Path]:
    return MappingProxyType(
        {squeezed(name): tuple(path.split(".")) for path, names in table.items() for name in names.split()}
    )


OF_SENDERS = _names(  # where something belongs -> what other tools and senders call it
    {
        "kochava_app_id": "app_id app_guid kochava_guid kochava_app_guid",
        "kochava_device_id": "device_id kochava_id",
        "event_id": "idempotency_key transaction_id message_id insert_id",
        "usertime": "event_time timestamp time ts occurred_at created_at date_time event_timestamp user_time",
        "origination_ip": "ip ip_address client_ip user_ip device_ip ip_addr remote_addr",
        "device_ua": "user_agent ua device_user_agent http_user_agent",
        "app_version": "version",
        "device_limit_tracking": "limit_ad_tracking lat",
        "event_name": "event name event_type",
        "event_data": "params parameters properties event_params event_properties custom_data",
        "event_data.sum": "revenue amount value total sum",
        "event_data.price": "price",
        "currency": "currency_code",
        "device_ids.idfa": "idfa",
        "device_ids.idfv": "idfv",
        "device_ids.adid": "adid gaid aaid gps_adid google_advertising_id advertising_id",
        "device_ids.android_id": "android_id",
        "device_ids.imei": "imei",
        "app_tracking_transparency.att": "att",
        "gdpr_privacy_consent": "gdpr gdpr_consent consent",
        "gdpr_privacy_consent.gdpr_applies": "gdpr_applies",
        "gdpr_privacy_consent.tc_string": "tc_string",
        "gdpr_privacy_consent.ad_user_data": "ad_user_data",
        "gdpr_privacy_consent.ad_personalization": "ad_personalization",
    }
)
OF_PARTS: Mapping[str, Mapping[str, Path]] = MappingProxyType(
    {
        "app_tracking_transparency": _names(
            {
                "att": "authorized status authorization",
                "att_time": "time timestamp",
                "att_duration": "duration",
                "att_detail": "detail att_status",
            }
        ),
        _CONSENT: _names(
            {"gdpr_applies": "gdpr applies", "tc_string": "consent gdpr_consent consent_string tcf_string tcf"}
        ),
    }
)


class Written(NamedTuple):
    """What the publisher wrote, out of its envelopes."""

    tree: Mapping[str, Any]
    envelope: int

    @property
    def shape(self) -> Shape:
        """What the action's messages look like; of an action that is not known, an event."""
        said = {"action": self.tree.get("action")}
        settle_action(said)
        return SHAPES.get(said["action"] if isinstance(said["action"], str) else "event", SHAPES["event"])

    def at(self, path: Path) -> Any:
        """Return the value at a path; None where there is none."""
        value: Any = self.tree
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def has(self, path: Path) -> bool:
        """Tell whether the path leads to a value, be it null."""
        parent = self.at(path[:-1])
        return isinstance(parent, dict) and path[-1] in parent


def written(body: str) -> Written | None:
    """Return what is in a body; None if it cannot be read."""
    try:
        opened = open_body(body)
    except InvalidEventError:
        return None
    return Written(opened.tree, len(opened.envelope))


def hint_for(event: Written, path: Path, problem: str) -> str | None:
    """Return what to do about a problem of an event; None if what it holds tells nothing more.

    Args:
        event: it.
        path: of what is wrong, from the body on.
        problem: what is wrong, as the contract says it.
    """
    inner = path[event.envelope :]
    if not inner:
        return None
    if problem.startswith("is not a known key"):
        return _of_unknown(event, inner, problem)
    if problem.startswith(("is missing", "is needed when")):
        return _of_missing(event, inner)
    if problem.startswith("must ") and event.has(inner):
        return _of_value(event, inner, problem)
    return None


# --- keys ---------------------------------------------------------------------------------------------------


def _of_unknown(event: Written, path: Path, problem: str) -> str | None:
    *outer, key = path
    part = _part(outer)
    target = _meant(str(key), event.shape, part)
    if target is None:
        return "remove it" if part else None
    place = target if part or target[0] in event.shape.top | event.shape.flat | {"data"} else ("data", *target)
    if len(place) > 1:
        given = f", as {place[-1]}" if place[-1] != key else ""
        return f"put it into {'.'.join(map(str, place[:-1]))}{given}"
    if f"did you mean {place[0]}?" in problem:
        return None
    return f"{'or ' if 'did you mean' in problem else ''}did you mean {place[0]}?"


def _of_missing(event: Written, path: Path) -> str | None:
    *outer, key = path
    part = _part(outer)
    places: list[Path] = [tuple(outer)] if part else [("data",), ()]
    if not part and key in event.shape.top:
        places.reverse()
    for place in places:
        for name, target in _misspelt(event.at(place), event.shape, part):
            if target[0] == key:
                shown = in_words((*place, name))
                return f"put {shown} into it" if len(target) > 1 else _moved(event.shape, place, shown, str(key))
    if not part and outer and event.has((key,)):  # what tells of the event itself may not stand beside data
        return f"put {key} into data"
    if not event.has(("data",)):
        for name, target in _misspelt(event.tree, event.shape, None):
            if target == ("data",):
                return f"write data instead of {in_words((name,))}"
    return _or_without_its_part("add it", path)


def _moved(shape: Shape, place: Path, shown: str, key: str) -> str:
    """Return what to do about a misspelt key, which may also stand where its right name may not."""
    if place == ("data",) and key in shape.top:
        return f"put {shown} beside data, as {key}"
    if place == () and key not in shape.top | shape.flat:
        return f"put {shown} into data, as {key}"
    return f"write {key} instead of {shown}"


def _part(outer: Iterable[str | int]) -> str | None:
    return next((str(key) for key in outer if key in _PARTS), None)


def _or_without_its_part(remedy: str, path: Path) -> str | None:
    """Return a remedy for a key that its part needs, so that it can only be left out with the part; else None."""
    part = _part(path[:-1])
    needed = part is not None and _PARTS[part].model_fields[str(path[-1])].is_required()
    return f"{remedy}, or leave {part} out" if needed else None


def _misspelt(value: Any, shape: Shape, part: str | None) -> Iterator[tuple[str, Path]]:
    """Yield the keys of an object that stand for others of the contract, and for which."""
    known = _known(shape, part)
    for name in value if isinstance(value, dict) else ():
        if name not in known and (target := _meant(name, shape, part)) and in_words((name,)) != "?":
            yield name, target


def _known(shape: Shape, part: str | None) -> tuple[str, ...]:
    return tuple(_PARTS[part].model_fields) if part else shape.known


def _meant(name: str, shape: Shape, part: str | None) -> Path | None:
    """Return what a key stands for, as the path from beside or within `data` or a part; None for nothing."""
    known = _known(shape, part)
    letters = squeezed(name)
    same = next((key for key in known if squeezed(key) == letters), None)
    if same:
        return (same,)
    usual = (OF_PARTS[part] if part else OF_SENDERS).get(letters)
    if usual and usual[0] in known:
        return usual
    near = get_close_matches(name, known, n=1, cutoff=_NEAR)
    return (near[0],) if near else None


# --- values -------------------------------------------------------------------------------------------------


def _of_value(event: Written, path: Path, problem: str) -> str | None:
    value = event.at(path)
    if path[-1] == "att" and (remedy := _or_without_its_part("say true or false", path)):
        return remedy
    if value is None:
        return "fill it in" if _is_needed(event, path) else "fill it in, or leave it out"
    if problem == "must be a string" and isinstance(value, dict | list):
        return "send the text itself"
    return None


def _is_needed(event: Written, path: Path) -> bool:
    """Tell whether the contract wants what is at a path; a key of the flat form may be of `data`."""
    message = event.shape.model.model_fields
    data = getattr(message["data"].annotation, "model_fields", {})
    fields = data if path[0] == "data" and len(path) > 1 else {**data, **message}
    name = path[1] if path[0] == "data" and len(path) > 1 else path[0]
    return len(path) <= 1 + (path[0] == "data") and name in fields and fields[str(name)].is_required()
