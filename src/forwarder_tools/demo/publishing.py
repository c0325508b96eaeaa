"""How to publish to the demo from another shell: variables for any AWS tool, and commands to paste."""

import json
import shlex
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from forwarder_tools.localcloud import LocalCloud, Stack
from forwarder_tools.processes import ROOT

EXAMPLE = {
    "kochava_app_id": "kotest-app-1",
    "kochava_device_id": "KDtest-mine",
    "data": {
        "event_name": "Purchase",
        "event_data": {"price": 9.99, "currency": "USD"},
        "device_ids": {"idfa": "AAAAAAAA-0000-4000-8000-000000000099"},
        "device_ua": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)",
        "origination_ip": "203.0.113.99",
    },
}

STALE = (
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"),
    *("AWS_ENDPOINT_URL_SQS", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
    *("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"),
)
"""What another shell may have, and what would lead an AWS tool elsewhere or make it fail."""

DIRECT = tuple(f'export {name}="127.0.0.1${{{name}:+,${name}}}"' for name in ("NO_PROXY", "no_proxy"))
"""Besides what is reached without a proxy already."""

STORE_PASSWORD = "changeit"  # nosec B105  # noqa: S105 - Java's own default: the store holds a certificate, no secret

SEND = (
    'import boto3, os, sys; boto3.client("sqs").send_message('
    'QueueUrl=os.environ["EVENT_QUEUE_URL"], MessageBody=open(sys.argv[1]).read())'
)


def exports(cloud: LocalCloud, stack: Stack) -> str:
    """Return shell lines after which boto3, the AWS CLI and AWS's SDKs for Node and Java publish to the demo."""
    variables = {
        **cloud.aws_settings,
        "NODE_EXTRA_CA_CERTS": cloud.authority,
        "EVENT_QUEUE_URL": stack.event_queue_url,
        "DEAD_LETTER_QUEUE_URL": stack.dead_letter_queue_url,
    }
    lines = (f"export {name}={shlex.quote(value)}" for name, value in variables.items())
    return "\n".join((f"unset {' '.join(STALE)}", *lines, *DIRECT))


def instructions(cloud: LocalCloud, stack: Stack) -> str:
    """Say how to publish, and write the files that this names to the cloud's folder, which goes with it."""
    variables, event, store = (cloud.folder / name for name in ("env.sh", "event.json", "authority.p12"))
    variables.write_text(exports(cloud, stack) + "\n")
    event.write_text(json.dumps(EXAMPLE, indent=2) + "\n")
    store.write_bytes(_java_trust_store(Path(cloud.authority)))
    python = shlex.join([str(ROOT / ".venv" / "bin" / "python"), "-c", SEND, str(event)])
    return f"""\
Publish from another shell. These lines prepare it, and so does: . {variables}

{variables.read_text()}
With Python:
{python}

With the AWS CLI:
aws sqs send-message --endpoint-url "$AWS_ENDPOINT_URL" --queue-url "$EVENT_QUEUE_URL" --message-body file://{event}

Java needs besides: -Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword={STORE_PASSWORD}"""


def _java_trust_store(authority: Path) -> bytes:
    """Return a certificate in the one form in which Java takes it: Java reads neither PEM nor a variable."""
    certificate = x509.load_pem_x509_certificate(authority.read_bytes())
    entry = pkcs12.PKCS12Certificate(certificate, b"local-cloud")
    return pkcs12.serialize_java_truststore([entry], BestAvailableEncryption(STORE_PASSWORD.encode()))
