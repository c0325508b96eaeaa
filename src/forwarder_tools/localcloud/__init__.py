"""A cloud on this machine, for the tools and the tests.

cloud        MiniStack, started and ended, and clients for it
deployment   the template, deployed to it by the real `sam deploy`
contents     messages in its queues and lines in its logs
"""

from forwarder_tools.localcloud.cloud import CA, NOT_A_KEY, REGION, LocalCloud, local_cloud
from forwarder_tools.localcloud.contents import Message, complaints, function_log, peek
from forwarder_tools.localcloud.deployment import SUPPORTED, Stack, deploy, warm_up

__all__ = [
    "CA",
    "NOT_A_KEY",
    "REGION",
    "SUPPORTED",
    "LocalCloud",
    "Message",
    "Stack",
    "complaints",
    "deploy",
    "function_log",
    "local_cloud",
    "peek",
    "warm_up",
]
