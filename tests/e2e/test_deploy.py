"""`make deploy` of a checkout that nobody has set up: one value is given, one question asked."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from forwarder_tools.processes import ROOT, base_environment

if TYPE_CHECKING:
    from forwarder_tools.localcloud import LocalCloud

SECONDS = 110
APP_ID = "kotest-app-1 AlarmStuckMinutes=0"
"""With the one parameter that the local cloud needs besides: it knows no alarm on several metrics."""


def test_the_first_deployment_takes_the_app_id_and_a_yes(cloud: LocalCloud) -> None:
    made = subprocess.run(
        ["/usr/bin/env", "make", "deploy", f"APP_ID={APP_ID}", "STACK=made"],
        cwd=ROOT,
        env=base_environment(**cloud.aws_settings),
        input="y\n",
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )

    assert made.returncode == 0, made.stdout[-2000:] + made.stderr[-2000:]
    assert made.stdout.count("[y/N]") == 1
    (stack,) = cloud.stacks.describe_stacks(StackName="made")["Stacks"]
    given = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack["Parameters"]}
    assert given["KochavaAppId"] == "kotest-app-1"
    assert given["Architecture"] == "arm64", "as samconfig.toml has it"
