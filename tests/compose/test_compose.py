"""docker-compose.yml and Dockerfile: read by Compose itself, and true of this repository.

No engine runs where the tests do, so that nothing is built or started here.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from retail_datagen.streaming.feed import streaming_config

ROOT = Path(__file__).parents[2]
DOCUMENTED = {"kafka", "clickhouse", "inventory-producer", "realistic-event-generator"}


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text()


@pytest.fixture
def compose() -> list[str]:
    """Compose's own command line, which reads a file without an engine."""
    if shutil.which("docker"):
        asked = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if asked.returncode == 0:
            return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    pytest.skip("there is no Compose to read the file: apt-get install docker-compose")


def test_compose_understands_the_file(compose: list[str]) -> None:
    done = subprocess.run(
        [*compose, "config", "--quiet"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_containers_have_the_names_that_people_know(told: dict[str, Any]) -> None:
    services = told["services"]
    assert {service["container_name"] for service in services.values()} >= DOCUMENTED
    for name, service in services.items():
        assert service["container_name"] == name


def test_ports_are_bound_to_this_machine(told: dict[str, Any]) -> None:
    ports = [port for service in told["services"].values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_servers_say_when_they_are_ready_and_are_waited_for(told: dict[str, Any]) -> None:
    services = told["services"]
    servers = {name for name, service in services.items() if "healthcheck" in service}
    assert servers >= {"kafka", "clickhouse", "postgres-simulation"}
    for service in services.values():
        for server, how in service.get("depends_on", {}).items():
            assert server in servers
            assert how == {"condition": "service_healthy"}


def test_one_way_leads_into_clickhouse(told: dict[str, Any]) -> None:
    """Who writes to Kafka does not write to ClickHouse as well, and one loader reads."""
    writers = []
    for name, service in told["services"].items():
        if "CLICKHOUSE_HOST" in service.get("environment", {}):
            writers.append(name)
    assert writers == ["clickhouse-loader"]
    command = told["services"]["clickhouse-loader"]["command"][-1]
    assert "--kafka" not in command


def test_who_sends_and_who_loads_are_one_retailer(told: dict[str, Any]) -> None:
    """Else the loader would refuse what the others send."""
    retailers = [
        {n: v for n, v in service["environment"].items() if n.startswith("RETAIL_")}
        for service in told["services"].values()
        if "KAFKA_BOOTSTRAP_SERVERS" in service.get("environment", {})
    ]
    assert len(retailers) == 3
    assert all(retailer == told["x-retailer"] for retailer in retailers)
    # What is said there is what commands take by themselves, so that others fit as well.
    config = streaming_config(None)
    defaults = {"RETAIL_PROFILE": config.profile, "RETAIL_SEED": str(config.seed)}
    assert told["x-retailer"] == {n: f"${{{n}:-{v}}}" for n, v in defaults.items()}


def test_what_the_image_copies_is_there_and_gets_into_it(dockerfile: str) -> None:
    allowed = [
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE):
        for name in line.split()[:-1]:
            assert (ROOT / name).exists(), name
            assert any(name == a or name.startswith(f"{a}/") for a in allowed), name


def test_the_image_is_run_by_nobody_in_particular(dockerfile: str) -> None:
    *_, last = re.findall(r"^USER (\w+)$", dockerfile, re.MULTILINE)
    assert last != "root"


def test_the_image_has_groups_that_are_declared(dockerfile: str) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    (groups,) = re.findall(r"pin\.py select ([\w ]+) >", dockerfile)
    assert set(groups.split()) - {"core", "build"} <= set(extras)
    assert {"kafka", "clickhouse", "store"} <= set(groups.split())


@pytest.mark.parametrize("service", ["clickhouse-loader", "realistic-event-generator", "store-api"])
def test_commands_of_services_are_ours(told: dict[str, Any], service: str) -> None:
    """Each command is there and knows its options."""
    command: list[str] = told["services"][service]["command"]
    if command[0] == "sh":
        calls = [part.split() for part in command[-1].replace("exec ", "").split(" && ")]
    else:
        calls = [command]
    for call in calls:
        if call[0] == "python":
            known = _help([str(ROOT / call[1])])
        else:
            assert call[0] == "retail-datagen"
            words = [word for word in call[1:3] if not word.startswith("-")]
            known = _help(["-c", "from retail_datagen.cli.app import main; main()", *words])
        for option in (word for word in call if word.startswith("--")):
            assert option in known, f"{service}: {option}"


def _help(command: list[str]) -> str:
    done = subprocess.run(
        [sys.executable, *command, "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
