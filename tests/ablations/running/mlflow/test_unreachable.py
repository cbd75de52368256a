"""A server that cannot be used: one line says what happened and what to try, and no secret."""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ablations.running.mlflow.store import NoServer, connect, locate

SECRET = "s3cret"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@contextmanager
def answering(status: int, body: str = "", tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that gives one answer to everything; yields its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_CONNECT = do_POST

        def log_message(self, *words: object) -> None: ...

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *words: object) -> None: ...

    server = Quiet(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def refusal(uri: str) -> str:
    with pytest.raises(NoServer) as error:
        connect(locate(uri, Path()))
    said = str(error.value)
    assert said.startswith("cannot use MLflow at http")
    assert "\n" not in said
    assert SECRET not in said
    assert error.value.why in said
    return error.value.why


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (401, "You are not authenticated", r"wants to know who asks: status 401 \(MLFLOW_TRACKING_USER.*TOKEN"),
        (401, '{"error_code": "UNAUTHENTICATED", "message": "no"}', r"wants to know who asks: status 401 \(MLFLOW_TR"),
        (403, "Permission denied", r"does not let this user in: status 403 \(MLFLOW_TRACKING_USERNAME"),
        (403, '{"error_code": "PERMISSION_DENIED", "message": "no"}', "does not let this user in: status 403"),
        (404, "<html>", r"status 404, Not Found: what answers there is not MLflow \(its address may need a path"),
        (404, '{"detail": "Not Found"}', r"what answers there is not MLflow"),
        (302, "", "status 302, Found: what answers there is not MLflow .*a login page"),
        (500, "oh", r"the server fails: status 500, Internal Server Error \(its log says why"),
        (502, "oh", r"the server fails: status 502, Bad Gateway"),
        (503, "oh", r"the server fails: status 503, Service Unavailable \(.*try again later"),
        (429, "oh", r"the server refuses: status 429, Too Many Requests"),
        (418, "oh", r"the server refuses: status 418"),
        (599, "oh", r"the server fails: status 599"),
        (407, "", r"a proxy wants to know who asks: status 407 \(HTTPS_PROXY and HTTP_PROXY name it, NO_PROXY"),
        (200, "<html>Welcome</html>", "what answers there is not MLflow"),
        (200, "{}", "what answers there is not MLflow"),
        (200, '{"status": "ok"}', "what answers there is not MLflow"),
        (200, "[1, 2]", "what answers there is not MLflow"),
        (200, '{"experiments": 3}', "what answers there is not MLflow"),
        (200, '{"experiments": [{"experiment_id": {}}]}', "what answers there is not MLflow"),
    ],
)  # fmt: skip
def test_what_a_server_answers_is_said_with_what_to_try(status: int, body: str, why: str) -> None:
    with answering(status, body) as port:
        assert re.search(why, refusal(f"http://me:{SECRET}@127.0.0.1:{port}"))


def test_what_mlflow_itself_refuses_is_said_in_its_words() -> None:
    answer = json.dumps({"error_code": "INVALID_PARAMETER_VALUE", "message": f"no such thing as {SECRET}"})
    with answering(400, answer) as port:
        assert (
            refusal(f"http://me:{SECRET}@127.0.0.1:{port}") == "INVALID_PARAMETER_VALUE: no such thing as ***"
        )


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def test_a_refused_connection_a_wrong_name_and_silence_are_told_apart() -> None:
    refused = refusal(f"http://127.0.0.1:{free_port()}")
    assert refused.startswith("no MLflow server answers there: the connection is refused (is it running")
    assert refusal("http://no-such-host.invalid:5000").startswith("there is no host of that name (check")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        said = refusal(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert said.startswith("no MLflow server answers there: it kept silent for 1 s (a firewall")


def test_a_connection_that_is_ended_without_an_answer_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            connection, _ = server.accept()
            connection.recv(10_000)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        said = refusal(f"http://127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert re.search(
        r"no MLflow server answers there: .*\(is it http:// or https://, and the right port\?\)", said
    )


@pytest.fixture
def own_certificate(tmp_path: Path) -> Callable[[], ssl.SSLContext]:
    """Make a server's settings with a certificate that it has signed itself."""

    def made() -> ssl.SSLContext:
        key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
        words = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=127.0.0.1",
        ]
        words += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
        try:
            subprocess.run(words, check=True, capture_output=True)
        except FileNotFoundError:
            pytest.skip("openssl is not installed")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context

    return made


def test_a_certificate_that_is_not_trusted_is_said_and_can_be_trusted(
    tmp_path: Path, own_certificate: Callable[[], ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(401, "", own_certificate()) as port:
        said = refusal(f"https://me:{SECRET}@127.0.0.1:{port}")
        assert re.match(
            r"its certificate is not trusted: self-signed certificate \(REQUESTS_CA_BUNDLE or", said
        )
        assert "MLFLOW_TRACKING_INSECURE_TLS=true" in said
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "certificate.pem"))
        assert "status 401" in refusal(f"https://127.0.0.1:{port}")


def test_http_and_https_taken_for_each_other_are_said(own_certificate: Callable[[], ssl.SSLContext]) -> None:
    with answering(200) as port:
        assert (
            refusal(f"https://127.0.0.1:{port}")
            == "it does not speak TLS (is its address http://, not https://?)"
        )
    with answering(200, "", own_certificate()) as port:
        assert "is it http:// or https://" in refusal(f"http://127.0.0.1:{port}")


def test_a_proxy_that_refuses_or_is_away_is_said_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with answering(403) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:{SECRET}@127.0.0.1:{port}")
        said = refusal("https://mlflow.example.org")
    shown = f"the proxy http://***@127.0.0.1:{port} "
    assert said.startswith(f"{shown}refuses: status 403 (HTTPS_PROXY and HTTP_PROXY name it, NO_PROXY")
    assert refusal("https://mlflow.example.org").startswith(f"{shown}does not answer: Connection refused")
    monkeypatch.setenv("HTTP_PROXY", f"http://me:{SECRET}@no-such-host.invalid:3128")
    assert refusal("http://mlflow.example.org").startswith(
        "the proxy http://***@no-such-host.invalid:3128 does not"
    )
