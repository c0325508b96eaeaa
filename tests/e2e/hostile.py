"""A shell in which tools that listen to it fail, or speak to somebody else."""

import os
from pathlib import Path

NOBODY = "http://127.0.0.1:9"
"""Where nobody listens."""

CONFIG = f"""
[default]
region = eu-west-1
endpoint_url = {NOBODY}
ignore_configured_endpoint_urls = true
use_fips_endpoint = true
role_arn = arn:aws:iam::123456789012:role/gone
source_profile = gone
"""
SETTINGS = {
    **{name: NOBODY for kind in ("HTTP", "HTTPS", "ALL") for name in (f"{kind}_PROXY", f"{kind.lower()}_proxy")},
    "AWS_PROFILE": "gone",
    "AWS_SESSION_TOKEN": "expired",
    "AWS_ENDPOINT_URL": NOBODY,
    "AWS_ENDPOINT_URL_SQS": NOBODY,
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_REGION": "eu-west-1",
    "AWS_CA_BUNDLE": "/no/such/file",
}


def hostile_environment(home: Path) -> dict[str, str]:
    """Return this process's environment made hostile, with a home folder whose ~/.aws is so too."""
    folder = home / ".aws"
    folder.mkdir(parents=True)
    (folder / "config").write_text(CONFIG)
    (folder / "credentials").write_text("this is no credentials file\n")
    kept = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    return {**kept, **SETTINGS, "HOME": str(home), "PYTHONUNBUFFERED": "1"}
