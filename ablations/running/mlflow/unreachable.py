"""Why an MLflow server cannot be used, and what to try, in a few words: never with a secret of its address."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from ablations.running.machine.addresses import shown_address
from senet_core.errors import one_line

NO_MLFLOW = "what answers there is not MLflow (its address may need a path, or a login page is in between)"
SIGN_IN = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, say who asks"
PROXIES = "HTTPS_PROXY and HTTP_PROXY name it, NO_PROXY the hosts that are asked without it"
TRUST = (
    "REQUESTS_CA_BUNDLE or MLFLOW_TRACKING_SERVER_CERT_PATH names a file with the certificate to trust;"
    " MLFLOW_TRACKING_INSECURE_TLS=true trusts any"
)


def why_unusable(fault: BaseException, address: str) -> str | None:
    """Return what happened when a server was asked over HTTP, and what to try; None where it answers as MLflow does.

    Args:
        fault: what MLflow raised, with what it came of.
        address: of the server.
    """
    import requests

    chain = list(_chain(fault))
    if any(isinstance(error, requests.exceptions.ProxyError) for error in chain):
        return f"the proxy {_proxy(address)}{_last(chain)} ({PROXIES})"
    if any(isinstance(error, requests.exceptions.SSLError) for error in chain):
        return _why_no_tls(one_line(chain[-1]))
    if any(isinstance(error, socket.gaierror) for error in chain):
        return "there is no host of that name (check its spelling, and the network)"
    if any(isinstance(error, (TimeoutError, requests.exceptions.Timeout)) for error in chain):
        seconds = os.environ.get("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
        return (
            f"no MLflow server answers there: it kept silent for {seconds} s (a firewall, or a server that is busy:"
            " MLFLOW_HTTP_REQUEST_TIMEOUT sets the seconds)"
        )
    if any(isinstance(error, ConnectionRefusedError) for error in chain):
        return "no MLflow server answers there: the connection is refused (is it running, on that port?)"
    if (status := _status(chain)) is not None:
        return _why_status(status)
    if (answer := _answer(chain)) is not None:
        return _why_refused(answer)
    if any(isinstance(error, requests.exceptions.ConnectionError) for error in chain):
        return f"no MLflow server answers there: {_spoken(chain[-1])} (is it http:// or https://, and the right port?)"
    return NO_MLFLOW if any("not in a valid JSON" in str(error) for error in chain) else None


def _chain(fault: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it came of, the first cause last; MLflow raises its own without naming the cause."""
    at: BaseException | None = fault
    while at is not None:
        yield at
        at = at.__cause__ or at.__context__


def _why_no_tls(said: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in said:
        reason = re.search(r"verify failed: ([^(]*)", said)
        detail = f": {reason[1].strip()}" if reason is not None else ""
        return f"its certificate is not trusted{detail} ({TRUST})"
    if "WRONG_VERSION_NUMBER" in said or "RECORD_LAYER" in said:
        return "it does not speak TLS (is its address http://, not https://?)"
    return f"no secure connection can be made: {_short(said)} ({TRUST})"


def _status(chain: list[BaseException]) -> int | None:
    """Return the HTTP status of an answer that is no JSON; None where there was none."""
    for error in chain:
        found = re.search(r"failed with error code (\d{3})\b|too many (\d{3}) error responses", str(error))
        if found is not None:
            return int(found[1] or found[2])
    return None


def _answer(chain: list[BaseException]) -> Mapping[str, Any] | None:
    """Return the JSON by which a server refused; None where there was none. MLflow's exceptions forget its status."""
    found = (getattr(error, "json", None) for error in chain)
    return next((answer for answer in found if isinstance(answer, Mapping)), None)


def _why_refused(answer: Mapping[str, Any]) -> str | None:
    code = answer.get("error_code")
    if code is None:
        return NO_MLFLOW
    refused = {"UNAUTHENTICATED": HTTPStatus.UNAUTHORIZED, "PERMISSION_DENIED": HTTPStatus.FORBIDDEN}
    return _why_status(refused[code]) if code in refused else None


def _why_status(status: int) -> str:
    named = f"status {status}"
    with_name = f"{named}, {HTTPStatus(status).phrase}" if status in set(HTTPStatus) else named
    if status == HTTPStatus.UNAUTHORIZED:
        return f"the server wants to know who asks: {named} ({SIGN_IN})"
    if status == HTTPStatus.FORBIDDEN:
        return (
            f"the server does not let this user in: {named} ({SIGN_IN}; or ask for the right to write there)"
        )
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return f"a proxy wants to know who asks: {named} ({PROXIES})"
    if status == HTTPStatus.NOT_FOUND or 300 <= status < 400:
        return f"{with_name}: {NO_MLFLOW}"
    if status >= 500:
        return f"the server fails: {with_name} (its log says why; try again later)"
    return f"the server refuses: {with_name} (its log says why)"


def _proxy(address: str) -> str:
    from requests.utils import get_environ_proxies, select_proxy

    given = select_proxy(address, get_environ_proxies(address))
    return f"{shown_address(given)} " if given else ""


def _last(chain: list[BaseException]) -> str:
    cause = chain[-1]
    refused = re.search(r"Tunnel connection failed: (\d{3})", str(cause))
    if refused is not None:
        return f"refuses: status {refused[1]}"
    return f"does not answer: {_spoken(cause)}"


def _spoken(error: BaseException) -> str:
    """Return what the system says of an error, without the addresses that a library adds."""
    said = error.strerror if isinstance(error, OSError) else None
    return said or "the connection was ended without an answer"


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:117]}..."
