"""Environment variables: the default of each, its bounds, and one line that names what is wrong."""

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kochava_forwarder.contract.privacy import AdvertisingIds, IpPrecision
from kochava_forwarder.contract.user_agent import DeviceUaEncoding
from kochava_forwarder.policy.outcomes import AmbiguousDelivery
from kochava_forwarder.settings import Settings, SettingsError
from tests.unit.strategies import examples

QUEUE = "https://sqs.eu-west-1.amazonaws.com/000000000000/dead-letters"
REFUSALS = "arn:aws:sqs:eu-west-1:000000000000:refusals"
HTTPS = "must be https (http is allowed for loopback addresses only)"
URL = "must be an https URL such as https://control.kochava.com/track/json"

DEFAULTS: dict[str, tuple[str, object]] = {
    "KOCHAVA_ENDPOINT": ("endpoint", "https://control.kochava.com/track/json"),
    "KOCHAVA_APP_ID": ("app_id", None),
    "KOCHAVA_SECRET_ID": ("secret_id", None),
    "DEVICE_UA_ENCODING": ("device_ua_encoding", DeviceUaEncoding.PERCENT),
    "DEAD_LETTER_QUEUE_URL": ("dead_letter_queue_url", QUEUE),
    "REFUSAL_QUEUE_ARN": ("refusal_queue_arn", None),
    "EVENT_NAMES": ("event_names", {}),
    "ORIGINATION_IP_PRECISION": ("origination_ip_precision", IpPrecision.FULL),
    "ADVERTISING_IDS": ("advertising_ids", AdvertisingIds.ALWAYS),
    "DROPPED_PARAMETERS": ("dropped_parameters", frozenset()),
    "MAX_WORKERS": ("max_workers", 100),
    "REQUEST_TIMEOUT_SECONDS": ("request_timeout", 10.0),
    "RETRY_HORIZON_SECONDS": ("retry_horizon", 259_200),
    "AMBIGUOUS_DELIVERY": ("ambiguous_delivery", AmbiguousDelivery.RETRY),
    "DEDUPLICATION_TABLE": ("deduplication_table", None),
    "DEDUPLICATION_WINDOW_SECONDS": ("deduplication_window", 604_800),
}


def settings(**environment: str) -> Settings:
    return Settings.from_environment({"DEAD_LETTER_QUEUE_URL": QUEUE} | environment)


def refusal(environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment(environment)
    return str(refused.value)


def test_every_variable_of_the_design_is_here() -> None:
    assert {field.alias for field in Settings.model_fields.values()} >= set(DEFAULTS)


@pytest.mark.parametrize("text", [None, "", " \n"], ids=["not set", "empty", "blank"])
@pytest.mark.parametrize("name", sorted(DEFAULTS.keys() - {"DEAD_LETTER_QUEUE_URL"}))
def test_every_variable_but_the_queues_has_a_default(name: str, text: str | None) -> None:
    attribute, default = DEFAULTS[name]
    assert getattr(settings() if text is None else settings(**{name: text}), attribute) == default


@pytest.mark.parametrize("environment", [{}, {"DEAD_LETTER_QUEUE_URL": " "}])
def test_the_dead_letter_queue_must_be_named(environment: dict[str, str]) -> None:
    assert refusal(environment) == "DEAD_LETTER_QUEUE_URL: is not set; set this environment variable"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("KOCHAVA_ENDPOINT", "https://kochava.example:8443/track?x=1", "https://kochava.example:8443/track?x=1"),
        ("KOCHAVA_ENDPOINT", "http://127.0.0.1:8080/track", "http://127.0.0.1:8080/track"),
        ("KOCHAVA_ENDPOINT", "http://127.9.9.9", "http://127.9.9.9"),
        ("KOCHAVA_ENDPOINT", "http://localhost/track", "http://localhost/track"),
        ("KOCHAVA_ENDPOINT", "http://sandbox.localhost:8787/t", "http://sandbox.localhost:8787/t"),
        ("KOCHAVA_ENDPOINT", "http://[::1]:80/track", "http://[::1]:80/track"),
        ("KOCHAVA_APP_ID", " kotest-app-1\n", "kotest-app-1"),
        ("KOCHAVA_SECRET_ID", "kochava/secret", "kochava/secret"),
        ("DEVICE_UA_ENCODING", "percent", DeviceUaEncoding.PERCENT),
        ("DEVICE_UA_ENCODING", "raw", DeviceUaEncoding.RAW),
        ("DEAD_LETTER_QUEUE_URL", "http://127.0.0.1:4566/0/q", "http://127.0.0.1:4566/0/q"),
        ("REFUSAL_QUEUE_ARN", REFUSALS, REFUSALS),
        ("EVENT_NAMES", "order_done=Purchase", {"order_done": "Purchase"}),
        ("ORIGINATION_IP_PRECISION", "network", IpPrecision.NETWORK),
        ("ADVERTISING_IDS", "consented", AdvertisingIds.CONSENTED),
        ("DROPPED_PARAMETERS", "user_name, email,", frozenset({"user_name", "email"})),
        ("MAX_WORKERS", "1", 1),
        ("MAX_WORKERS", "256", 256),
        ("REQUEST_TIMEOUT_SECONDS", "0.5", 0.5),
        ("REQUEST_TIMEOUT_SECONDS", "300", 300.0),
        ("RETRY_HORIZON_SECONDS", "1", 1),
        ("RETRY_HORIZON_SECONDS", "1209600", 1_209_600),
        ("AMBIGUOUS_DELIVERY", "retry", AmbiguousDelivery.RETRY),
        ("AMBIGUOUS_DELIVERY", "park", AmbiguousDelivery.PARK),
        ("DEDUPLICATION_TABLE", "events", "events"),
        ("DEDUPLICATION_WINDOW_SECONDS", "60", 60),
        ("DEDUPLICATION_WINDOW_SECONDS", "31536000", 31_536_000),
    ],
)
def test_good_values_are_taken(name: str, text: str, value: object) -> None:
    assert getattr(settings(**{name: text}), DEFAULTS[name][0]) == value


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("KOCHAVA_ENDPOINT", "http://control.kochava.com/track/json", HTTPS),
        ("KOCHAVA_ENDPOINT", "http://10.0.0.1/track", HTTPS),
        ("KOCHAVA_ENDPOINT", "http://0.0.0.0/track", HTTPS),
        ("KOCHAVA_ENDPOINT", "http://127.0.0.1.example/track", HTTPS),
        ("KOCHAVA_ENDPOINT", "http://localhost.example/track", HTTPS),
        ("KOCHAVA_ENDPOINT", "http://notlocalhost/track", HTTPS),
        ("KOCHAVA_ENDPOINT", "ftp://127.0.0.1/track", HTTPS),
        ("KOCHAVA_ENDPOINT", "control.kochava.com/track/json", URL),
        ("KOCHAVA_ENDPOINT", "https://", URL),
        ("KOCHAVA_ENDPOINT", "https:///track", URL),
        ("KOCHAVA_ENDPOINT", "https://user:secret@kochava.example/", URL),
        ("KOCHAVA_ENDPOINT", "https://@kochava.example/", URL),
        ("KOCHAVA_ENDPOINT", "https://kochava.example/#a", URL),
        ("KOCHAVA_ENDPOINT", "https://kochava.example/a b", URL),
        ("KOCHAVA_ENDPOINT", "https://kochava.example/a\nb", URL),
        ("KOCHAVA_ENDPOINT", "https://kochava.example/\x00", URL),
        ("KOCHAVA_ENDPOINT", "https://kochava.\u00e9xample/", URL),
        ("KOCHAVA_ENDPOINT", "https://kochava.example:0/", URL),
        ("KOCHAVA_ENDPOINT", "https://kochava.example:99999/", "Port out of range 0-65535"),
        ("KOCHAVA_ENDPOINT", "https://[::1/", "Invalid IPv6 URL"),
        ("DEVICE_UA_ENCODING", "Percent", "must be 'percent' or 'raw'"),
        ("AMBIGUOUS_DELIVERY", "drop", "must be 'retry' or 'park'"),
        ("DEAD_LETTER_QUEUE_URL", "dead-letters", "String should match pattern '^https?://\\S+$'"),
        ("REFUSAL_QUEUE_ARN", REFUSALS + ".fifo", "must be the ARN of a standard SQS queue"),
        ("REFUSAL_QUEUE_ARN", QUEUE, "must be the ARN of a standard SQS queue"),
        ("EVENT_NAMES", "order_done", "must be names such as order_done=Purchase, with commas between"),
        ("ORIGINATION_IP_PRECISION", "none", "must be 'full' or 'network'"),
        ("ADVERTISING_IDS", "never", "must be 'always' or 'consented'"),
        ("MAX_WORKERS", "0", "must be greater than or equal to 1"),
        ("MAX_WORKERS", "257", "must be less than or equal to 256"),
        ("MAX_WORKERS", "many", "must be a valid integer, unable to parse string as an integer"),
        ("MAX_WORKERS", "1.5", "must be a valid integer, unable to parse string as an integer"),
        ("REQUEST_TIMEOUT_SECONDS", "0", "must be greater than 0"),
        ("REQUEST_TIMEOUT_SECONDS", "300.1", "must be less than or equal to 300"),
        ("REQUEST_TIMEOUT_SECONDS", "inf", "must be a finite number"),
        ("REQUEST_TIMEOUT_SECONDS", "nan", "must be a finite number"),
        ("REQUEST_TIMEOUT_SECONDS", "10s", "must be a valid number, unable to parse string as a number"),
        ("RETRY_HORIZON_SECONDS", "0", "must be greater than or equal to 1"),
        ("DEDUPLICATION_WINDOW_SECONDS", "59", "must be greater than or equal to 60"),
        ("DEDUPLICATION_WINDOW_SECONDS", "31536001", "must be less than or equal to 31536000"),
    ],
)
def test_bad_values_are_refused_in_one_line_that_names_the_variable(name: str, text: str, wrong: str) -> None:
    assert refusal({"DEAD_LETTER_QUEUE_URL": QUEUE} | {name: text}) == f"{name}: {wrong}"


def test_a_cold_start_that_fails_does_not_print_the_value() -> None:
    with pytest.raises(SettingsError) as refused:
        settings(KOCHAVA_ENDPOINT=f"https://{'u' * 9}:x@kochava.example/")
    printed = "".join(traceback.format_exception(refused.value))
    assert "KOCHAVA_ENDPOINT" in printed
    assert "u" * 9 not in printed


def test_all_bad_variables_are_named_at_once() -> None:
    assert refusal({"MAX_WORKERS": "0", "AMBIGUOUS_DELIVERY": "drop"}) == (
        "DEAD_LETTER_QUEUE_URL: is not set; set this environment variable; "
        "MAX_WORKERS: must be greater than or equal to 1; AMBIGUOUS_DELIVERY: must be 'retry' or 'park'"
    )


def test_other_variables_do_not_matter() -> None:
    assert settings(PATH="/bin", MAX_WORKER="1") == settings()


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        settings().max_workers = 5  # type: ignore[misc] # that is the point


TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.from_regex(r"\Ahttps?://[ -~\s]*\Z")


@examples(300)
@given(st.dictionaries(st.sampled_from(sorted(DEFAULTS)), TEXTS, min_size=1, max_size=3))
def test_any_text_is_taken_or_refused_in_one_line(environment: dict[str, str]) -> None:
    try:
        result: Settings | str = settings(**environment)
    except SettingsError as refused:
        result = str(refused)
    assert isinstance(result, Settings) or (any(name in result for name in environment) and "\n" not in result)
