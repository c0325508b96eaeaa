"""What may be shown of an AWS call's failure. Pure: knows the shape of botocore's errors, not botocore."""


def aws_error(error: BaseException) -> str:
    """Returns the AWS error code behind `error`, else the exception's type.

    Never its text, which may quote what was sent.
    """
    for cause in (error, error.__cause__, error.__context__):
        response = getattr(cause, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", "unknown"))
    return type(error).__name__
