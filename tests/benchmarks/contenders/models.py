"""The peers' five models: what the body of `workload` has, validated and written again."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

type _Text = Annotated[str, StringConstraints(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class DeviceIds(_Part):
    idfa: str | None = None
    idfv: str | None = None
    adid: str | None = None
    android_id: str | None = None


class Tracking(_Part):
    att: bool
    att_time: int | None = None
    att_duration: float | None = None
    att_detail: Literal["authorized", "denied", "notDetermined", "restricted"] | None = None


class Parameters(_Part):
    order_id: _Text
    name: str
    price: float
    quantity: int
    currency: str


class Data(_Part):
    usertime: int
    app_version: str | None = None
    device_ver: str
    device_ids: DeviceIds
    device_ua: str
    origination_ip: str
    currency: str | None = None
    app_tracking_transparency: Tracking | None = None
    event_name: _Text
    event_data: Parameters | None = None


class Event(_Part):
    action: Literal["event"]
    kochava_app_id: _Text
    kochava_device_id: _Text
    data: Data


def payload(body: str) -> bytes:
    """Return what is posted for a message: validated, and serialised again.

    Raises:
        ValidationError: the body is no event.
    """
    return Event.model_validate_json(body).model_dump_json(exclude_none=True).encode()


def check(status: int, answer: object) -> None:
    """Find out whether an answer says success.

    Raises:
        ValueError: it does not.
    """
    if status != 200 or not isinstance(answer, dict) or answer.get("success") != "1":
        raise ValueError(f"HTTP {status}")
