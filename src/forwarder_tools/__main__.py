"""Starts the command line `kochava-forwarder`, also as `python -m forwarder_tools`."""

import sys


def main() -> int:
    """Run the command line; return the exit status."""
    try:
        from forwarder_tools import cli  # noqa: PLC0415 - what it needs is an extra, and may be missing
    except ModuleNotFoundError as missing:
        remedy = "install kochava-forwarder[cli], with its brackets"
        print(f"kochava-forwarder: {missing.name} is not installed: {remedy}", file=sys.stderr)
        return 1
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
