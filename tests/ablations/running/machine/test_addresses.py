"""Secrets of addresses are shown nowhere, whatever characters they have."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablations.running.machine.addresses import shown_address, without_secrets
from ablations.running.mlflow.store import Store, locate, ui_command, ui_environment
from ablations.running.search.storage import open_storage, storage_url
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
