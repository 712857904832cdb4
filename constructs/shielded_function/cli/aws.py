"""Requests to AWS: clients that retry with back-off, and errors that say which IAM action is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .errors import CliError
from .options import Place

_ATTEMPTS: Final = 8
"""Attempts of a request: botocore waits longer after each throttled one, up to 20 seconds
(https://docs.aws.amazon.com/boto3/latest/guide/retries.html)."""
_DENIED: Final = ("AccessDeniedException", "AccessDenied", "UnauthorizedOperation")
_MEANS: Final = {
    "ExpiredTokenException": "the credentials have expired: sign in again",
    "ExpiredToken": "the credentials have expired: sign in again",
    "UnrecognizedClientException": "AWS does not know these credentials",
    "InvalidClientTokenId": "AWS does not know these credentials",
    "ThrottlingException": "AWS asks for fewer requests: try again in a minute",
    "TooManyRequestsException": "AWS asks for fewer requests: try again in a minute",
    "ResourceConflictException": "another update of it is running: wait, and run this again",
    "PreconditionFailedException": "it was changed in the meantime: review it, and run this again",
    "CodeVerificationFailedException": "Lambda refuses the function's code signature",
}


def client(service: str, place: Place) -> Any:
    """A client of boto3's.

    Raises:
        CliError: there is no region, or no such profile.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    try:
        session = boto3.Session(profile_name=place.profile, region_name=place.region)
        return session.client(service, config=Config(retries={"mode": "standard", "max_attempts": _ATTEMPTS}))
    except BotoCoreError as error:
        raise CliError(f"no connection to AWS: {error}") from error


def call(action: str, what: str, method: Callable[..., Any], **arguments: Any) -> Any:
    """Makes a request.

    Args:
        action: the IAM action that it needs, such as `logs:StartQuery`.
        what: its subject, for the error.
        method: of a client.

    Raises:
        CliError: AWS denied it; the line names the next step.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return method(**arguments)
    except ClientError as error:
        raise CliError(f"{what}: {explain(action, error)}") from error
    except BotoCoreError as error:
        raise CliError(f"{what}: {error}") from error


def every_page(client: Any, operation: str, key: str) -> Callable[..., list[dict[str, Any]]]:
    """A method for `call` that reads all pages of an operation; `key`: of the items in a page."""

    def read(**arguments: Any) -> list[dict[str, Any]]:
        return [each for page in client.get_paginator(operation).paginate(**arguments) for each in page[key]]

    return read


def error_code(error: Any) -> str:
    """The code of a ClientError."""
    return str(error.response.get("Error", {}).get("Code", ""))


def explain(action: str, error: Any) -> str:
    """A ClientError in one line; a denied request names the IAM action."""
    code = error_code(error)
    message = " ".join(str(error.response.get("Error", {}).get("Message", error)).split())
    if code in _DENIED:
        return f"you need {action}: {message}"
    if code == "ResourceNotFoundException":
        return "it does not exist in this account and region"
    return _MEANS.get(code, f"{code}: {message}")
