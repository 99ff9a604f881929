"""The chart: workers with stable names and stores, that end in order, may write nowhere else, and are watched."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.settings import Settings

CHART = Path("deploy/helm")
RENDERED = Path("deploy/kubernetes.yaml")
HELM = shutil.which("helm") or shutil.which("helm", path=str(Path(sys.executable).parent))
VERSIONS = ("1.27", "1.31", "1.36")
EVERYTHING = (
    "prometheusRule.enabled=true", "prometheusRule.docs=https://docs.example.com/", "prometheusRule.labels.a=b",
    "serviceMonitor.enabled=true", "serviceMonitor.labels.release=prometheus", "topics=defaults: {}",
    "secrets[0].name=kafka", "secrets[0].key=password", "secrets[0].setting=FAIRWAY_DATABASE_URL_FILE",
    "settings.FAIRWAY_HISTORY_DAYS=400", "networkPolicy.from[0].namespaceSelector.matchLabels.name=ingress",
    "podAnnotations.a=b", "store.storageClass=fast", "nodeSelector.disk=ssd", "imagePullSecrets[0].name=registry",
)  # fmt: skip

needs_helm = pytest.mark.skipif(HELM is None, reason="needs Helm: make chart-tools")


def render(*settings: str) -> str:
    assert HELM
    command = [HELM, "template", "fairway", str(CHART), "--kube-version", "1.31.0", "--namespace", "fairway"]
    for setting in settings:
        command += ["--set", setting]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def read(text: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text) if document]


def find(kind: str, documents: list[dict[str, Any]], name: str = "") -> dict[str, Any]:
    (found,) = (one for one in documents if one["kind"] == kind and one["metadata"]["name"].endswith(name))
    return found


DOCUMENTS = read(RENDERED.read_text())
WORKERS = find("StatefulSet", DOCUMENTS)["spec"]
POD = WORKERS["template"]["spec"]
WORKER = POD["containers"][0]
VARIABLES = {one["name"]: one for one in WORKER["env"]}


def test_a_worker_keeps_its_name_and_its_store_over_restarts() -> None:
    assert VARIABLES["FAIRWAY_INSTANCE_ID"]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    mounts = {mount["name"]: mount["mountPath"] for mount in WORKER["volumeMounts"]}
    assert mounts["store"] == "/var/lib/fairway"
    assert [claim["metadata"]["name"] for claim in WORKERS["volumeClaimTemplates"]] == ["store"]


def test_a_worker_is_asked_for_by_the_others_at_a_name_of_its_own() -> None:
    peers = find("Service", DOCUMENTS, "-workers")
    assert peers["metadata"]["name"] == WORKERS["serviceName"]
    assert VARIABLES["FAIRWAY_WEB_NAME"]["value"] == f"$(FAIRWAY_INSTANCE_ID).{WORKERS['serviceName']}"
    assert peers["spec"]["clusterIP"] == "None"
    assert peers["spec"]["publishNotReadyAddresses"]
    names = [one["name"] for one in WORKER["env"]]
    assert names.index("FAIRWAY_INSTANCE_ID") < names.index("FAIRWAY_WEB_NAME")


def test_a_worker_has_time_to_end_and_only_one_at_a_time_is_taken_away() -> None:
    assert POD["terminationGracePeriodSeconds"] == 60
    assert find("PodDisruptionBudget", DOCUMENTS)["spec"]["maxUnavailable"] == 1


def test_a_worker_that_restores_is_alive_and_not_ready() -> None:
    paths = {kind: WORKER[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
    assert {kind: probe["path"] for kind, probe in paths.items()} == {
        "startup": "/livez", "liveness": "/livez", "readiness": "/readyz",
    }  # fmt: skip
    assert {probe["port"] for probe in paths.values()} == {WORKER["ports"][0]["name"]}


def test_nothing_runs_as_root_or_writes_but_to_its_volumes() -> None:
    for pod in (POD, find("Job", DOCUMENTS)["spec"]["template"]["spec"]):
        assert pod["securityContext"]["runAsNonRoot"]
        assert f"--uid {pod['securityContext']['runAsUser']} " in Path("Dockerfile").read_text()
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip


def test_no_secret_is_in_the_environment() -> None:
    file = VARIABLES["FAIRWAY_DATABASE_URL_FILE"]["value"]
    assert "FAIRWAY_DATABASE_URL" not in VARIABLES
    (secrets,) = (volume for volume in POD["volumes"] if volume["name"] == "secrets")
    (mount,) = (one for one in WORKER["volumeMounts"] if one["name"] == "secrets")
    path = secrets["projected"]["sources"][0]["secret"]["items"][0]["path"]
    assert file == f"{mount['mountPath']}/{path}"
    assert not [document for document in DOCUMENTS if document["kind"] == "Secret"]


def test_topics_and_tables_are_there_before_the_workers() -> None:
    job = find("Job", DOCUMENTS)
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["command"][-1] == "fairway topics apply && fairway db upgrade"


def test_the_network_lets_workers_reach_each_other_and_no_more_than_they_need() -> None:
    policy = find("NetworkPolicy", DOCUMENTS)["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    ports = {port["port"] for rule in policy["egress"] for port in rule["ports"]}
    assert ports == {53, 9092, 9093, 9094, 5432, 443, "web"}


def test_every_variable_of_the_chart_is_a_setting() -> None:
    names = {name.removeprefix("FAIRWAY_").lower() for name in VARIABLES}
    assert names <= set(Settings.model_fields)


@needs_helm
def test_what_is_rendered_is_what_the_chart_renders() -> None:
    assert render() == RENDERED.read_text(), "run: make chart"


@needs_helm
@pytest.mark.parametrize("settings", [(), EVERYTHING], ids=["default", "everything"])
@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_own_schemas_accept_all_of_it(settings: tuple[str, ...], version: str) -> None:
    validator = pytest.importorskip("kubernetes_validate", reason="needs Kubernetes' schemas: make chart-tools")
    documents = read(render(*settings))
    assert len(documents) == 6 + 3 * bool(settings)
    for document in documents:
        if document["kind"] not in (
            "ServiceMonitor",
            "PrometheusRule",
        ):  # of the Prometheus operator's, not of Kubernetes
            validator.validate(document, version, strict=True)


@needs_helm
def test_prometheus_is_told_of_every_worker() -> None:
    documents = read(render(*EVERYTHING))
    monitor = find("ServiceMonitor", documents)
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    peers = find("Service", documents, "-workers")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= peers["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"][0]["port"] == peers["spec"]["ports"][0]["name"]


@needs_helm
def test_prometheus_is_given_the_alerts_each_with_the_address_of_its_runbook() -> None:
    rule, given = find("PrometheusRule", read(render(*EVERYTHING))), Path("deploy/alerts/fairway.yaml").read_text()
    assert rule["spec"] == yaml.safe_load(given.replace("runbooks.html", "https://docs.example.com/runbooks.html"))


@needs_helm
@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("workers=0", "workers"),
        ("brokers=kafka", "brokers"),
        ("settings.PATH=x", "PATH"),
        ("worker=3", "worker"),
        ("prometheusRule.docs=x", "docs"),
    ],
)
def test_a_wrong_value_is_refused_by_name(setting: str, said: str) -> None:
    assert HELM
    command = [HELM, "template", "fairway", str(CHART), "--kube-version", "1.31.0", "--set", setting]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert said in done.stderr
