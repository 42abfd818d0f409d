"""What deploy/ and docs/cluster.md name exists: entry points, their options, versions, what the image copies."""

import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from ray.runtime_env import RuntimeEnv
from typer.main import get_command

from pipelines import annotate, evaluate

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
IMAGE_ROOT = "/opt/pairmill"
MAINS: dict[str, Callable[..., Any]] = {"annotate": annotate.main, "evaluate": evaluate.main}


def read_job(name: str) -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / f"{name}.yaml").read_text())["spec"]


def parse(name: str) -> dict[str, Any]:
    """A job's entry point as its command reads it; unknown options and wrong values raise."""
    python, script, *words = shlex.split(read_job(name)["entrypoint"])
    assert (python, script) == ("python", f"{IMAGE_ROOT}/pipelines/{name}.py")
    assert (ROOT / "pipelines" / f"{name}.py").is_file()
    app = typer.Typer(add_completion=False)
    app.command()(MAINS[name])
    return get_command(app).make_context(name, words).params


def pods(name: str) -> list[dict[str, Any]]:
    """Of the head and of the workers."""
    cluster = read_job(name)["rayClusterSpec"]
    return [group["template"]["spec"] for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]


def lines(name: str, word: str) -> list[list[str]]:
    """The arguments of a Dockerfile's instructions of one kind."""
    return [line.split()[1:] for line in (DEPLOY / name).read_text().splitlines() if line.startswith(f"{word} ")]


@pytest.mark.parametrize("name", MAINS)
def test_a_job_calls_its_entry_point_as_it_is(name: str) -> None:
    assert parse(name)


def test_the_pool_fits_the_workers_of_the_cluster() -> None:
    (group,) = read_job("annotate")["rayClusterSpec"]["workerGroupSpecs"]
    limits = group["template"]["spec"]["containers"][0]["resources"]["limits"]
    asked = parse("annotate")
    workers = int(asked["workers"])
    assert workers * asked["gpus"] <= group["replicas"] * limits["nvidia.com/gpu"]
    assert workers <= group["replicas"] * int(limits["cpu"])
    (group,) = read_job("evaluate")["rayClusterSpec"]["workerGroupSpecs"]
    assert parse("evaluate")["actors"] == group["replicas"]


@pytest.mark.parametrize("name", MAINS)
def test_every_pod_has_the_paths_of_the_entry_point_and_the_same_image(name: str) -> None:
    asked = parse(name)
    path = Path(asked.get("dataset") or asked["run"])
    for pod in pods(name):
        (container,) = pod["containers"]
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        assert mounts[f"/{path.parts[1]}"] == "data"
        assert set(mounts.values()) == {volume["name"] for volume in pod["volumes"]}
        assert container["image"] == pods(name)[0]["containers"][0]["image"]


@pytest.mark.parametrize("name", MAINS)
def test_a_cluster_asks_for_a_token_and_is_of_the_pinned_ray(name: str) -> None:
    cluster = read_job(name)["rayClusterSpec"]
    assert cluster["authOptions"]["mode"] == "token"
    assert f"ray=={cluster['rayVersion']}" in (ROOT / "constraints.txt").read_text().splitlines()


def test_the_image_copies_what_is_there_and_not_ignored() -> None:
    kept = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines()}
    copied = [source for *sources, _ in lines("Dockerfile", "COPY") for source in sources]
    assert {"pyproject.toml", "constraints.txt", "manifests", "annotate", "train", "evaluate", "pipelines"} <= set(
        copied
    )
    assert set(copied) <= kept
    assert all((ROOT / source).exists() for source in copied)


def test_the_image_is_of_a_python_that_the_project_and_its_pins_are_for() -> None:
    ((base,),) = lines("Dockerfile", "FROM")
    assert base.startswith("python:3.11-")
    assert 'python_version = "3.11"' in (ROOT / "pyproject.toml").read_text()


def test_the_runtime_environment_of_the_guide_is_one_that_ray_takes() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/cluster.md").read_text(), re.DOTALL)
    given = yaml.safe_load(text)
    assert RuntimeEnv(**given).has_pip()
    _, project = (line.rpartition("}")[2] for line in given["pip"]["packages"])
    described = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project.strip("[]") in described["optional-dependencies"]
