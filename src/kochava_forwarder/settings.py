"""Environment variables -> one typed, validated, frozen object, read once at cold start."""

import ipaddress
import os
import re
from collections.abc import Mapping
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from kochava_forwarder.contract.privacy import AdvertisingIds, IpPrecision, Privacy
from kochava_forwarder.contract.renaming import read_names
from kochava_forwarder.contract.user_agent import DeviceUaEncoding
from kochava_forwarder.policy.outcomes import AmbiguousDelivery

DEFAULT_ENDPOINT = "https://control.kochava.com/track/json"
_STANDARD_QUEUE = re.compile(r"arn:[^:]+:sqs:[^:]+:\d{12}:[\w-]{1,80}", re.ASCII)


class SettingsError(Exception):
    """An environment variable is missing or wrong; the message is one line that names it."""


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761, section 6.3: all of these are loopback
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _endpoint(url: str) -> str:
    parts = urlsplit(url)  # a bad port raises ValueError in its own words
    if (
        not url.isascii()
        or " " in url
        or not url.isprintable()
        or parts.hostname is None
        or parts.port == 0
        or parts.username is not None
        or parts.fragment
    ):
        raise ValueError("must be an https URL such as " + DEFAULT_ENDPOINT)
    if parts.scheme == "http" and _is_loopback(parts.hostname):
        return url
    if parts.scheme != "https":
        raise ValueError("must be https (http is allowed for loopback addresses only)")
    return url


def _standard_queue(arn: str) -> str:
    if not _STANDARD_QUEUE.fullmatch(arn):
        raise ValueError("must be the ARN of a standard SQS queue")
    return arn


def _names(text: str) -> frozenset[str]:
    return frozenset(name for part in text.split(",") if (name := part.strip()))


class Settings(BaseModel):
    """The forwarder's settings; each alias is the environment variable's name."""

    model_config = ConfigDict(frozen=True)

    endpoint: Annotated[str, AfterValidator(_endpoint)] = Field(DEFAULT_ENDPOINT, alias="KOCHAVA_ENDPOINT")
    app_id: str | None = Field(None, alias="KOCHAVA_APP_ID")
    device_ua_encoding: DeviceUaEncoding = Field(DeviceUaEncoding.PERCENT, alias="DEVICE_UA_ENCODING")
    dead_letter_queue_url: str = Field(alias="DEAD_LETTER_QUEUE_URL", pattern=r"^https?://\S+$")
    refusal_queue_arn: Annotated[str, AfterValidator(_standard_queue)] | None = Field(
        None, alias="REFUSAL_QUEUE_ARN"
    )
    max_workers: int = Field(100, alias="MAX_WORKERS", ge=1, le=256)
    request_timeout: float = Field(10.0, alias="REQUEST_TIMEOUT_SECONDS", gt=0, le=300, allow_inf_nan=False)

    event_names: Annotated[Mapping[str, str], BeforeValidator(read_names)] = Field({}, alias="EVENT_NAMES")
    origination_ip_precision: IpPrecision = Field(IpPrecision.FULL, alias="ORIGINATION_IP_PRECISION")
    advertising_ids: AdvertisingIds = Field(AdvertisingIds.ALWAYS, alias="ADVERTISING_IDS")
    dropped_parameters: Annotated[frozenset[str], BeforeValidator(_names)] = Field(
        frozenset(), alias="DROPPED_PARAMETERS"
    )

    secret_id: str | None = Field(None, alias="KOCHAVA_SECRET_ID")
    retry_horizon: int = Field(72 * 3600, alias="RETRY_HORIZON_SECONDS", ge=1)
    ambiguous_delivery: AmbiguousDelivery = Field(AmbiguousDelivery.RETRY, alias="AMBIGUOUS_DELIVERY")
    deduplication_table: str | None = Field(None, alias="DEDUPLICATION_TABLE")
    deduplication_window: int = Field(7 * 86400, alias="DEDUPLICATION_WINDOW_SECONDS", ge=60, le=365 * 86400)

    @property
    def privacy(self) -> Privacy:
        """What of an event is not sent."""
        return Privacy(self.origination_ip_precision, self.advertising_ids, self.dropped_parameters)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the settings; an empty variable counts as one that is not set.

        Raises:
            SettingsError: a variable is missing or bad; all of them are named, in one line.
        """
        names = [field.alias for field in cls.model_fields.values() if field.alias]
        given = {name: value for name in names if (value := environment.get(name, "").strip())}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            problems = [f"{item['loc'][0]}: {_in_words(item['type'], item['msg'])}" for item in error.errors()]
            raise SettingsError("; ".join(problems)) from None


def _in_words(kind: str, message: str) -> str:
    if kind == "missing":
        return "is not set; set this environment variable"
    return message.removeprefix("Value error, ").replace("Input should be", "must be")
