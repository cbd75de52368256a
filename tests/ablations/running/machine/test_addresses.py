"""Secrets of addresses are shown nowhere, whatever characters they have."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablations.running.machine.addresses import shown_address, sqlite_address, sqlite_file, without_secrets
from ablations.running.mlflow.store import Store, connect, experiment, locate, ui_command, ui_environment
from ablations.running.search.storage import FILE_NAME, close_storage, open_storage, storage_url
from senet_core.errors import UserError

SECRET = "p/w@d?x=1&y"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("https://user:pw@host/path", "https://***@host/path"),
        ("postgresql://user:p/w@d@host/db", "postgresql://***@host/db"),
        ("postgresql://user:p?w@host/db", "postgresql://***"),
        ("postgresql://host/db?password=pw&sslmode=require", "postgresql://host/db?***"),
        ("mysql+pymysql://user:pw@host/db?ssl_key=pw", "mysql+pymysql://***@host/db?***"),
        ("ftp://user:pw@host", "ftp://***@host"),
        ("sqlite:////home/a@b/mlflow.db", "sqlite:////home/a@b/mlflow.db"),
        ("user:pw@host", "user:***@host"),
    ],
)
def test_an_address_is_shown_without_its_secrets(address: str, shown: str) -> None:
    assert shown_address(address) == shown


@given(st.text(st.characters(codec="ascii", exclude_characters="\n\r\t "), min_size=4, max_size=20))
def test_no_password_is_shown(secret: str) -> None:
    secret = f"Zq{secret}qZ"
    for address in (f"http://u:{secret}@host/x", f"postgresql://host/db?password={secret}"):
        assert secret not in shown_address(address)
        said = without_secrets(
            f"cannot connect to {address} with {secret} or {quote(secret, safe='')}", address
        )
        assert secret not in said


@pytest.mark.parametrize("scheme", ["http", "postgresql", "ftp", "file+x", "mssql+pyodbc"])
def test_refusals_and_failures_show_none(scheme: str, tmp_path: Path) -> None:
    uri = f"{scheme}://user:{SECRET}@:99999/db?token={SECRET}"
    for refuse in (
        lambda: locate(uri, tmp_path),
        lambda: storage_url(f"bad {uri}", tmp_path),
        lambda: open_storage(uri),
    ):
        with pytest.raises(UserError) as refused:
            refuse()
        assert SECRET not in str(refused.value)
        assert "p/w@d" not in str(refused.value)


def test_the_words_of_the_page_hold_no_address(tmp_path: Path) -> None:
    store = Store(f"postgresql://user:{SECRET}@host/db", tmp_path, given=True)
    assert SECRET not in " ".join(ui_command())
    assert ui_environment(store)["MLFLOW_BACKEND_STORE_URI"] == store.uri


ODD_NAMES = (
    "a%20b",
    "a%3Fb",
    "a?b",
    "a#b",
    "a&b",
    "a+b",
    "a;b",
    "a'b",
    'a"b',
    "a b",
    "é",
    "猫",
    "a@b",
    "a:b",
    "a\\b",
)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_an_odd_folder_has_an_address_that_opens_its_own_file(tmp_path: Path, name: str) -> None:
    file = tmp_path / name / "x.db"
    file.parent.mkdir()
    assert sqlite_file(sqlite_address(file)) == file
    storage = open_storage(storage_url(None, file.parent))
    close_storage(storage)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (file.parent / FILE_NAME).stat().st_size > 0


def test_a_database_in_an_odd_folder_is_made_there_with_its_artifacts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / "100% é?a#b&c+d;e'f\"g%20h"
    store = locate(None, folder)
    client = connect(store)
    run = client.create_run(experiment(client, "x", store)).info
    client.log_text(run.run_id, "hi", "t.txt")
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert {"mlflow.db", "mlartifacts"} <= {path.name for path in folder.iterdir()}
    assert [path.read_text() for path in folder.rglob("t.txt")] == ["hi"]
    assert locate(store.uri, tmp_path).database == store.database == folder / "mlflow.db"


def test_a_given_address_with_a_query_is_refused() -> None:
    with pytest.raises(UserError, match="has a query; a \\? in the name of a file is written %3F"):
        locate("sqlite:////tmp/a?b/mlflow.db", Path("results"))
