"""What is said of a machine is so, and what it lacks comes with a remedy."""

import tomllib
from pathlib import Path

import pytest

from annotate.job import ROOT
from evaluate.doctor.machine import PACKAGES, check_machine


def test_the_least_versions_are_those_of_the_project() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    said = {words.split(">=")[0].split("[")[0]: words.split(">=")[1] for words in wanted}
    assert {package: said[package] for package in PACKAGES} == PACKAGES


def test_a_package_that_is_too_old_or_absent_has_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACKAGES, "torch", "99.0")
    monkeypatch.setitem(PACKAGES, "no-such-package", "1.0")
    remedies = {check.what: (check.found, check.remedy) for check in check_machine()}
    assert remedies["torch"][1] == "needs 99.0: make install"
    assert remedies["no-such-package"] == ("not installed", "make install")


def test_a_token_that_is_asked_for_and_absent_has_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    (lacking,) = (check for check in check_machine() if check.what == "Ray token")
    assert "ray get-auth-token --generate" in lacking.remedy
    (tmp_path / "token").write_text("x")
    (there,) = (check for check in check_machine() if check.what == "Ray token")
    assert there.remedy == ""
