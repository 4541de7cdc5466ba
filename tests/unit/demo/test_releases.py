import ast
from pathlib import Path

import pytest

from whence.demo.releases import EDITS, make_release, shop_folder


@pytest.mark.parametrize(("service", "flavour"), list(EDITS))
def test_edit_fits_the_sources_and_leaves_a_program(service: str, flavour: str, tmp_path: Path) -> None:
    file = make_release(tmp_path / "release", service, flavour)
    assert file.read_text() != (shop_folder() / file.name).read_text()
    ast.parse(file.read_text())


def test_release_without_edit_is_a_plain_copy(tmp_path: Path) -> None:
    file = make_release(tmp_path / "release", "payment")
    assert file.read_text() == (shop_folder() / "payment.py").read_text()


def test_edit_that_no_longer_fits_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "payment.py").write_text("print('rewritten')")
    monkeypatch.setattr("whence.demo.releases.shop_folder", lambda: sources)
    with pytest.raises(ValueError, match="no single"):
        make_release(tmp_path / "release", "payment", "tidy")
