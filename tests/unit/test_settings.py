from __future__ import annotations

import re
from pathlib import Path

import pytest

from whence.errors import ConfigError
from whence.settings import Settings, load_settings
from whence.tokens import Scope


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [f"WHENCE_{field.upper()}" for field in Settings.model_fields] + ["WHENCE_CONFIG"]:
        monkeypatch.delenv(name, raising=False)


def test_settings_without_anything_listen_on_loopback_and_keep_all_in_one_directory() -> None:
    settings = load_settings()
    assert (settings.host, settings.api_port, settings.otlp_http_port, settings.otlp_grpc_port) == (
        "127.0.0.1",
        8484,
        4318,
        4317,
    )
    assert settings.store == ""


def test_flag_goes_before_environment_and_environment_before_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "whence.toml"
    file.write_text("api_port = 1\notlp_http_port = 2\nbucket_seconds = 30\n")
    monkeypatch.setenv("WHENCE_CONFIG", str(file))
    monkeypatch.setenv("WHENCE_API_PORT", "3")
    monkeypatch.setenv("WHENCE_OTLP_HTTP_PORT", "4")
    settings = load_settings(api_port=5, host=None)
    assert (settings.api_port, settings.otlp_http_port, settings.bucket_seconds) == (5, 4, 30)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WHENCE_API_PORT", "eighty"),
        ("WHENCE_API_PORT", "70000"),
        ("WHENCE_STORE", "mysql://db"),
        ("WHENCE_TOKENS", "reed:abc"),
        ("WHENCE_BUCKET_SECONDS", "0"),
    ],
)
def test_bad_value_is_refused_with_the_name_of_its_variable(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=variable):
        load_settings()


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"CERT"}, {"KEY"}),
        ({"KEY"}, {"CERT"}),
        ({"CLIENT_CA"}, {"CERT", "KEY"}),
        ({"CLIENT_CA", "CERT"}, {"KEY"}),
        ({"CLIENT_CA", "KEY"}, {"CERT"}),
    ],
)
def test_tls_that_is_set_in_part_is_refused_with_the_names_of_what_is_missing(
    given: set[str], missing: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in given:
        monkeypatch.setenv(f"WHENCE_TLS_{name}", "some.pem")
    with pytest.raises(ConfigError) as refusal:
        load_settings()
    assert set(re.findall(r"WHENCE_TLS_(\w+)", str(refusal.value))) == missing


def test_error_about_tokens_does_not_show_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHENCE_TOKENS", "reed:sesame")
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "whence.example"])
def test_host_beyond_loopback_without_tokens_is_refused_and_says_how_to_make_one(host: str) -> None:
    with pytest.raises(ConfigError, match="whence token"):
        load_settings(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    assert load_settings(host=host).host == host


def test_host_beyond_loopback_with_tokens_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHENCE_TOKENS", "abc, read+write:def")
    tokens = load_settings(host="0.0.0.0").accepted_tokens()
    grants = [tokens.granted(secret) for secret in ("abc", "def")]
    assert [grant and grant.scopes for grant in grants] == [frozenset(Scope), {Scope.READ, Scope.WRITE}]


def test_host_beyond_loopback_with_a_file_of_tokens_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "tokens"
    file.write_text("read:abc\n")
    monkeypatch.setenv("WHENCE_TOKENS_FILE", str(file))
    assert load_settings(host="0.0.0.0").accepted_tokens().granted("abc") is not None


@pytest.mark.parametrize("text", [None, "reed:sesame"])
def test_file_of_tokens_that_cannot_be_read_is_an_error_of_configuration(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "tokens"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError, match="WHENCE_TOKENS_FILE") as refusal:
        load_settings(tokens_file=file).accepted_tokens()
    assert "sesame" not in str(refusal.value)


def test_config_file_that_is_missing_or_broken_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "whence.toml"
    monkeypatch.setenv("WHENCE_CONFIG", str(file))
    with pytest.raises(ConfigError, match="there is no file"):
        load_settings()
    file.write_text("api_port = = 1")
    with pytest.raises(ConfigError, match="WHENCE_CONFIG"):
        load_settings()
    file.write_text("api_prt = 1")
    with pytest.raises(ConfigError, match="no such setting"):
        load_settings()


def test_secrets_stay_out_of_the_text_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHENCE_TOKENS", "sesame")
    monkeypatch.setenv("WHENCE_STORE_PASSWORD", "hunter2")
    settings = load_settings()
    assert "sesame" not in repr(settings)
    assert "hunter2" not in repr(settings)
    assert "sesame" not in repr(settings.accepted_tokens())


def test_every_setting_has_a_description() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("bad", ["https://x/whence.yaml", "shop=ftp://x", "=https://x", "a=https://x,a=https://y"])
def test_address_of_declarations_needs_one_name_and_the_web(bad: str) -> None:
    with pytest.raises(ConfigError, match="WHENCE_DECLARATION_URLS"):
        load_settings(declaration_urls=bad)
    good = load_settings(declaration_urls="a=https://x/a.yaml?q=1, b=http://y/b.yaml")
    assert good.parsed_declaration_urls == {"a": "https://x/a.yaml?q=1", "b": "http://y/b.yaml"}
