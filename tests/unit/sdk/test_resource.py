import json
import shutil
from pathlib import Path
from subprocess import run

import pytest

from whence.model.names import IMAGE_DIGESTS, REPOSITORY, REVISION, SERVICE_VERSION
from whence.sdk.git import canonical_repository
from whence.sdk.resource import CodeDetector, code_attributes, stated_attributes

SHA = "9d59409acf479dfa0df1aa568182e43e43df8bbe"
OTHER_SHA = "0b31c0f1f66a2dd1a3bd0c6b0a1f6cf9b6e5a7d4"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout on branch ``main``, as git lays it out."""
    refs = tmp_path / ".git/refs/heads"
    refs.mkdir(parents=True)
    (refs / "main").write_text(f"{SHA}\n")
    (tmp_path / ".git/HEAD").write_text("ref: refs/heads/main\n")
    (tmp_path / ".git/config").write_text(
        '[core]\n\tbare = false\n[remote "origin"]\n\tfetch = +refs/heads/*\n\turl = git@github.com:acme/scoring.git\n'
    )
    return tmp_path


FOUND = {REVISION: SHA, REPOSITORY: "https://github.com/acme/scoring"}


def test_code_attributes_in_a_folder_of_a_checkout_are_its_head(checkout: Path) -> None:
    inside = checkout / "src/app"
    inside.mkdir(parents=True)
    assert code_attributes({}, inside) == FOUND


def test_code_attributes_with_packed_refs_are_found(checkout: Path) -> None:
    (checkout / ".git/refs/heads/main").unlink()
    (checkout / ".git/packed-refs").write_text(
        f"# pack-refs with: peeled\n{OTHER_SHA} refs/heads/x\n{SHA} refs/heads/main\n"
    )
    assert code_attributes({}, checkout) == FOUND


def test_code_attributes_of_detached_head_are_found(checkout: Path) -> None:
    (checkout / ".git/HEAD").write_text(SHA)
    assert code_attributes({}, checkout) == FOUND


def test_code_attributes_in_a_work_tree_follow_its_pointer(checkout: Path, tmp_path: Path) -> None:
    home = checkout / ".git/worktrees/fix"
    home.mkdir(parents=True)
    (home / "HEAD").write_text("ref: refs/heads/main\n")
    (home / "commondir").write_text("../..\n")
    tree = tmp_path / "elsewhere"
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {home}\n")
    assert code_attributes({}, tree) == FOUND


def test_code_attributes_before_the_first_commit_name_no_revision(checkout: Path) -> None:
    (checkout / ".git/refs/heads/main").unlink()
    assert code_attributes({}, checkout) == {REPOSITORY: "https://github.com/acme/scoring"}


def test_code_attributes_without_checkout_are_empty(tmp_path: Path) -> None:
    assert code_attributes({}, tmp_path) == {}


@pytest.mark.parametrize(
    "environ",
    [
        {"GITHUB_SHA": SHA, "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/scoring"},
        {"CI_COMMIT_SHA": SHA, "CI_PROJECT_URL": "https://github.com/acme/scoring"},
        {"GIT_COMMIT": SHA, "GIT_URL": "git@github.com:acme/scoring.git"},
        {"BUILDKITE_COMMIT": SHA, "BUILDKITE_REPO": "git@github.com:acme/scoring.git"},
        {"CIRCLE_SHA1": SHA, "CIRCLE_REPOSITORY_URL": "https://github.com/acme/scoring"},
        {"BUILD_SOURCEVERSION": SHA, "BUILD_REPOSITORY_URI": "https://user@github.com/acme/scoring"},
        {"BITBUCKET_COMMIT": SHA, "BITBUCKET_GIT_HTTP_ORIGIN": "https://github.com/acme/scoring"},
    ],
)
def test_code_attributes_in_a_pipeline_come_from_its_variables(environ: dict[str, str], tmp_path: Path) -> None:
    assert code_attributes(environ, tmp_path) == FOUND


@pytest.mark.parametrize("environ", [{"GITHUB_SHA": "main"}, {"BUILDKITE_COMMIT": "HEAD"}])
def test_code_attributes_with_a_name_as_sha_are_not_taken(environ: dict[str, str], tmp_path: Path) -> None:
    assert code_attributes(environ, tmp_path) == {}


def test_code_attributes_of_a_submodule_are_its_own(checkout: Path) -> None:
    home = checkout / ".git/modules/features"
    home.mkdir(parents=True)
    (home / "HEAD").write_text(OTHER_SHA)
    submodule = checkout / "features"
    submodule.mkdir()
    (submodule / ".git").write_text("gitdir: ../.git/modules/features\n")
    assert code_attributes({}, submodule) == {REVISION: OTHER_SHA}


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_code_attributes_of_a_changed_checkout_are_marked_in_the_version_only(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        return run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    (tmp_path / "app.py").write_text("1")
    git("add", "app.py")
    git("commit", "-qm", "first")
    revision = git("rev-parse", "HEAD")
    (tmp_path / "untracked.txt").write_text("no code")
    assert code_attributes({}, tmp_path) == {REVISION: revision}
    (tmp_path / "app.py").write_text("22")
    assert code_attributes({}, tmp_path) == {REVISION: revision, SERVICE_VERSION: f"{revision[:12]}+dirty"}


IMAGE = f"ghcr.io/acme/scoring@sha256:{'0b' * 32}"


def test_code_attributes_in_a_container_name_the_image_and_do_not_guess_from_git(checkout: Path) -> None:
    assert code_attributes({"WHENCE_IMAGE": IMAGE}, checkout) == {IMAGE_DIGESTS: (IMAGE,)}


def test_code_attributes_with_a_tag_as_image_are_not_taken(tmp_path: Path) -> None:
    assert code_attributes({"WHENCE_IMAGE": "ghcr.io/acme/scoring:latest"}, tmp_path) == {}


def test_code_attributes_from_the_file_of_the_build_win_over_git(checkout: Path) -> None:
    built = {REVISION: OTHER_SHA, SERVICE_VERSION: "2.4.1", IMAGE_DIGESTS: [IMAGE], "service.name": "not ours to say"}
    (checkout / "whence-build.json").write_text(json.dumps(built))
    inside = checkout / "app"
    inside.mkdir()
    found = {REVISION: OTHER_SHA, SERVICE_VERSION: "2.4.1", IMAGE_DIGESTS: (IMAGE,)}
    assert code_attributes({}, inside) == found


def test_code_attributes_from_a_file_that_a_variable_names(tmp_path: Path) -> None:
    (tmp_path / "build.json").write_text(json.dumps({REVISION: SHA}))
    assert code_attributes({"WHENCE_BUILD_FILE": str(tmp_path / "build.json")}, Path("/")) == {REVISION: SHA}


@pytest.mark.parametrize("name", ["service.version", "vcs.ref.head.revision"])
def test_code_attributes_where_user_stated_a_version_do_not_guess_from_git(checkout: Path, name: str) -> None:
    assert code_attributes({}, checkout, stated_attributes({"OTEL_RESOURCE_ATTRIBUTES": f"team=risk,{name}=v7"})) == {}


@pytest.mark.parametrize(
    ("address", "canonical"),
    [
        ("git@github.com:acme/scoring.git", "https://github.com/acme/scoring"),
        ("ssh://git@git.acme.dev/risk/scoring.git", "https://git.acme.dev/risk/scoring"),
        ("https://user:token@github.com/acme/scoring.git", "https://github.com/acme/scoring"),
        ("https://github.com/acme/scoring/", "https://github.com/acme/scoring"),
    ],
)
def test_canonical_repository_drops_credentials_and_suffix(address: str, canonical: str) -> None:
    assert canonical_repository(address) == canonical


def test_detector_resource_has_no_schema_url_that_could_clash() -> None:
    assert CodeDetector().detect().schema_url == ""


def test_detector_in_an_unreadable_checkout_still_says_that_we_are_here(
    production: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    assert CodeDetector().detect().attributes["telemetry.distro.name"] == "whence"
