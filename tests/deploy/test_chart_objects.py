"""What must hold for the rendered objects, whatever the values: limits, selectors, secrets, policies, stores."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.deploy import chart, tools
from tests.deploy.chart import Object, containers, objects, of_kind, pods, selects

KINDS = {
    "ConfigMap", "Deployment", "Ingress", "NetworkPolicy", "PersistentVolumeClaim", "Pod", "PodDisruptionBudget",
    "PriorityClass", "Service", "ServiceAccount",
}  # fmt: skip
NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
SECRET = re.compile(r"(?i)(password|token|secret|credential)[a-z_]*\s*[=:]\s*[\"']?(?!secrets/|/etc/)[^\s\"']{8}")

ADAPTER = "belvedere/adapter"
every_file = pytest.mark.parametrize("name", chart.ACCEPTED)


@every_file
def test_only_the_expected_kinds_are_made_each_in_the_release_and_once(name: str) -> None:
    found = objects(name)
    assert {each["kind"] for each in found} <= KINDS
    identities = [(each["kind"], each["metadata"]["name"]) for each in found]
    assert len(set(identities)) == len(identities)
    assert all(NAME.fullmatch(each["metadata"]["name"]) for each in found)
    spaces = {each["metadata"].get("namespace") for each in found if each["kind"] != "PriorityClass"}
    assert spaces == {chart.NAMESPACE}


@every_file
def test_every_object_has_helms_labels(name: str) -> None:
    for each in objects(name):
        labels = each["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == chart.RELEASE
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert labels["app.kubernetes.io/part-of"] == "belvedere"
        assert labels["helm.sh/chart"].startswith("belvedere-")


@every_file
def test_a_container_has_limits_a_pinned_image_and_no_more_rights_than_it_needs(name: str) -> None:
    for pod_name, pod in pods(objects(name)).items():
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        assert pod["spec"]["securityContext"]["runAsUser"] >= 10_000
        assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["spec"]["automountServiceAccountToken"] is False
        for container in containers(pod):
            assert {"cpu", "memory"} <= container["resources"]["limits"].keys()
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            tag = container["image"].partition("@")[0].rpartition(":")[2]
            assert re.fullmatch(r"\d+\.\d+\.\d+", tag), container["image"]
            rights = container["securityContext"]
            assert rights["readOnlyRootFilesystem"] is True
            assert rights["capabilities"] == {"drop": ["ALL"]}
            if name == "webcam-privileged" and pod_name == "house-belvedere":
                assert rights["privileged"] is True
            else:
                assert rights["allowPrivilegeEscalation"] is False


@every_file
def test_every_port_has_a_name_and_a_protocol(name: str) -> None:
    found = objects(name)
    ports = [port for pod in pods(found).values() for each in containers(pod) for port in each.get("ports", [])]
    ports += [port for service in of_kind(found, "Service") for port in service["spec"]["ports"]]
    assert ports
    for port in ports:
        assert re.fullmatch(r"[a-z0-9-]{1,15}", port["name"])
        assert port["protocol"] == ("UDP" if port["name"].startswith("webrtc-") else "TCP")


@every_file
def test_a_selector_selects_its_own_pods_and_no_others(name: str) -> None:
    found = objects(name)
    labels = {pod_name: pod["metadata"]["labels"] for pod_name, pod in pods(found).items()}
    for deployment in of_kind(found, "Deployment"):
        selector = deployment["spec"]["selector"]["matchLabels"]
        assert [each for each in labels if selects(selector, labels[each])] == [deployment["metadata"]["name"]]
    for service in of_kind(found, "Service"):
        selected = [each for each in labels if selects(service["spec"]["selector"], labels[each])]
        assert selected == [service["metadata"]["name"]]
    for budget in of_kind(found, "PodDisruptionBudget"):
        selector = budget["spec"]["selector"]["matchLabels"]
        assert [each for each in labels if selects(selector, labels[each])] == [budget["metadata"]["name"]]


@every_file
def test_an_ingress_leads_to_a_service_of_the_release(name: str) -> None:
    found = objects(name)
    services = of_kind(found, "Service")
    ports = {each["metadata"]["name"]: {port["name"] for port in each["spec"]["ports"]} for each in services}
    seen = set()
    for ingress in of_kind(found, "Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                assert backend["port"]["name"] in ports[backend["name"]]
                seen.add((rule["host"], path["path"]))
    assert len(seen) == sum(len(each["spec"]["rules"]) for each in of_kind(found, "Ingress"))


@every_file
def test_one_process_drives_a_room_and_ends_before_the_next_begins(name: str) -> None:
    for room in rooms(objects(name)):
        assert room["spec"]["replicas"] == 1
        assert room["spec"]["strategy"] == {"type": "Recreate"}
        assert room["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= 33


@every_file
def test_two_rooms_share_no_store(name: str) -> None:
    claims = [
        volume["persistentVolumeClaim"]["claimName"]
        for pod in pods(objects(name)).values()
        for volume in pod["spec"].get("volumes", [])
        if "persistentVolumeClaim" in volume
    ]
    assert len(set(claims)) == len(claims)
    made = {each["metadata"]["name"] for each in of_kind(objects(name), "PersistentVolumeClaim")}
    assert made <= set(claims)
    assert "study-store" not in made, "it exists already"


@every_file
def test_the_probes_ask_what_they_mean(name: str) -> None:
    for room in rooms(objects(name)):
        (container,) = containers(room["spec"]["template"])
        if name == "maintenance":  # it is never ready, and never restarted for that
            assert container.keys() & {"startupProbe", "livenessProbe", "readinessProbe"} == {"readinessProbe"}
            continue
        paths = {kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
        assert paths == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
        limit_s = container["livenessProbe"]["periodSeconds"] * container["livenessProbe"]["failureThreshold"]
        assert limit_s >= 15


@every_file
def test_a_network_policy_covers_every_pod_in_both_directions(name: str) -> None:
    found = objects(name)
    if name == "trial":
        assert not of_kind(found, "NetworkPolicy")
        return
    for pod_name, pod in pods(found).items():
        (policy,) = policies_of(found, pod)
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"], pod_name
        for rule in policy["spec"].get("egress", []):
            assert rule["to"], "a rule without `to` allows everything"
            assert rule["ports"]
        for rule in policy["spec"].get("ingress", []):
            is_for_viewers = all(port["protocol"] == "UDP" for port in rule["ports"])
            assert is_for_viewers or rule["from"], "a rule without `from` lets everybody in"


@every_file
def test_who_may_reach_a_room_is_the_controller_the_tunnel_and_the_test_alone(name: str) -> None:
    found = objects(name)
    for room in rooms(found):
        for policy in policies_of(found, room["spec"]["template"]):
            peers = [peer for rule in policy["spec"]["ingress"] for peer in rule.get("from", [])]
            components = {
                peer["podSelector"]["matchLabels"].get("app.kubernetes.io/component", "controller")
                for peer in peers
                if "podSelector" in peer
            }
            assert components <= {"controller", "cloudflared", "test"}
            assert ("controller" in components) == bool(of_kind(found, "Ingress"))
            assert ("cloudflared" in components) == (name in {"tunnel", "token", "two-rooms"})


@every_file
def test_every_config_map_and_claim_that_a_pod_mounts_exists(name: str) -> None:
    found = objects(name)
    maps = {each["metadata"]["name"] for each in of_kind(found, "ConfigMap")}
    claims = {each["metadata"]["name"] for each in of_kind(found, "PersistentVolumeClaim")} | {"study-store"}
    for pod in pods(found).values():
        volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
        mounts = {mount["name"] for each in containers(pod) for mount in each.get("volumeMounts", [])}
        assert mounts == volumes.keys()
        for volume in volumes.values():
            sources = volume.get("projected", {}).get("sources", [volume])
            assert {each["configMap"]["name"] for each in sources if "configMap" in each} <= maps
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in claims


@every_file
def test_no_secret_is_written_into_an_object(name: str) -> None:
    assert not of_kind(objects(name), "Secret")
    for each in of_kind(objects(name), "ConfigMap"):
        for text in each["data"].values():
            assert not SECRET.search(text), text
    for pod in pods(objects(name)).values():
        for container in containers(pod):
            lines = [f"{each['name']}={each.get('value')}" for each in container.get("env", [])]
            assert not [line for line in lines if SECRET.search(line)]


def test_the_search_for_secrets_finds_one() -> None:
    assert SECRET.search('password = "hunter-number-2"')
    assert not SECRET.search('password_file = "secrets/camera"')


@every_file
def test_two_rooms_that_use_the_same_radio_cannot_share_a_node(name: str) -> None:
    for room in rooms(objects(name)):
        pod = room["spec"]["template"]
        adapter = pod["metadata"]["labels"].get(ADAPTER)
        mounts_dbus = any(volume["name"] == "dbus" for volume in pod["spec"]["volumes"])
        assert (adapter is not None) == mounts_dbus
        if adapter is None:
            continue
        terms = pod["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        (term,) = [each for each in terms if "namespaceSelector" in each]
        assert term["topologyKey"] == "kubernetes.io/hostname"
        labels = pod["metadata"]["labels"]
        kept_away = {
            other for other in (adapter, "any", "hci7") if keeps_away(term["labelSelector"], labels | {ADAPTER: other})
        }
        assert kept_away == ({adapter, "any"} if adapter != "any" else {"any", "hci7"})  # "any" takes what is there


def keeps_away(selector: Object, labels: dict[str, str]) -> bool:
    """Whether a label selector has these labels, as Kubernetes reads it."""
    (expression,) = selector["matchExpressions"]
    found = labels.get(expression["key"])
    is_meant = found is not None if expression["operator"] == "Exists" else found in expression["values"]
    return is_meant and selects(selector["matchLabels"], labels)


def test_the_bus_is_mounted_as_a_folder_and_read_only() -> None:
    pod = pods(objects("traefik"))["house-belvedere"]
    (volume,) = [each for each in pod["spec"]["volumes"] if each["name"] == "dbus"]
    (mount,) = [each for each in containers(pod)[0]["volumeMounts"] if each["name"] == "dbus"]
    assert volume["hostPath"] == {"path": "/run/dbus", "type": "Directory"}
    assert mount["readOnly"] is True


def test_the_level_restricted_accepts_a_room_without_the_nodes_hardware() -> None:
    for pod in pods(objects("restricted")).values():
        assert not [volume for volume in pod["spec"].get("volumes", []) if "hostPath" in volume]
        assert not pod["spec"].get("hostNetwork")
        assert not [port for each in containers(pod) for port in each.get("ports", []) if "hostPort" in port]


def test_a_webcams_plugin_is_asked_for_the_device_and_the_group_is_joined() -> None:
    pod = pods(objects("webcam"))["house-belvedere"]
    assert containers(pod)[0]["resources"]["limits"]["squat.ai/video"] == 1
    assert pod["spec"]["securityContext"]["supplementalGroups"] == [112, 44]
    assert containers(pod)[0]["securityContext"]["appArmorProfile"] == {"type": "Unconfined"}
    terms = pod["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert len(terms) == 2


def test_the_nodes_network_brings_the_clusters_dns_and_its_own_port() -> None:
    pod = pods(objects("host-network"))["house-belvedere"]
    assert pod["spec"]["hostNetwork"] is True
    assert pod["spec"]["dnsPolicy"] == "ClusterFirstWithHostNet"
    assert containers(pod)[0]["ports"] == [
        {"name": "http", "containerPort": 18080, "hostPort": 18080, "protocol": "TCP"}
    ]


def test_helms_test_reaches_a_room_in_the_nodes_network_by_the_nodes_address() -> None:
    found = objects("host-network")
    (policy,) = policies_of(found, pods(found)["house-belvedere-test"])
    rule = policy["spec"]["egress"][-1]
    assert {"ipBlock": {"cidr": "192.168.1.0/24"}} in rule["to"]
    assert rule["ports"] == [{"port": 18080, "protocol": "TCP"}]


def test_a_pods_labels_say_no_version_so_that_a_new_chart_alone_ends_no_visit() -> None:
    for deployment in of_kind(objects("two-rooms"), "Deployment"):
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert not labels.keys() & {"helm.sh/chart", "app.kubernetes.io/version"}


def test_ports_of_the_node_are_let_in_by_the_policy_too() -> None:
    found = objects("host-ports")
    pod = pods(found)["house-belvedere"]
    ports = [port["hostPort"] for port in containers(pod)[0]["ports"] if port["protocol"] == "UDP"]
    assert ports == list(range(50_000, 50_016))
    (policy,) = policies_of(found, pod)
    (rule,) = [each for each in policy["spec"]["ingress"] if "from" not in each]
    assert rule["ports"] == [{"port": 50_000, "endPort": 50_015, "protocol": "UDP"}]


def test_nginx_limits_everything_but_the_stop_and_cuts_no_picture() -> None:
    by_name = {each["metadata"]["name"]: each for each in of_kind(objects("nginx"), "Ingress")}
    prefix = "nginx.ingress.kubernetes.io/"
    usual = by_name["house-belvedere"]["metadata"]["annotations"]
    stop = by_name["house-belvedere-stop"]["metadata"]["annotations"]
    assert usual[f"{prefix}limit-rps"] == "60", "the owner's annotation replaces the chart's"
    assert not [key for key in stop if "limit" in key]
    assert usual["example.org/kept"] == stop["example.org/kept"] == "yes"
    assert by_name["house-belvedere-stop"]["spec"]["rules"][0]["http"]["paths"][0]["path"] == "/api/v1/head/stop"
    for each in (usual, stop):
        assert int(each[f"{prefix}proxy-read-timeout"]) >= 3600
        assert each[f"{prefix}proxy-request-buffering"] == "off"


def test_a_controller_of_nginx_buffers_what_our_own_nginx_does() -> None:
    snippet = (tools.ROOT / "deploy/nginx/snippets/belvedere.conf").read_text(encoding="utf-8")
    ours = dict(re.findall(r"^([a-z_]+) ([^;]+);", snippet, re.MULTILINE))
    for each in of_kind(objects("nginx"), "Ingress"):
        theirs = {key.rpartition("/")[2]: value for key, value in each["metadata"]["annotations"].items()}
        assert theirs["proxy-request-buffering"] == ours["proxy_request_buffering"]
        assert theirs["proxy-buffering"] == ours.get("proxy_buffering", "on")  # nginx's own default
        assert theirs["proxy-body-size"] == ours["client_max_body_size"]


def test_the_pods_labels_cannot_be_taken_over() -> None:
    labels = pods(objects("everything"))["view"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/name"] == "view"
    assert labels["example.org/team"] == "home"


def test_other_settings_make_another_pod() -> None:
    def checksum(name: str, *arguments: str) -> str:
        ended = chart.template(4, name, *arguments)
        (room,) = rooms(chart.parsed(ended.stdout))
        return str(room["spec"]["template"]["metadata"]["annotations"]["checksum/settings"])

    assert checksum("restricted") == checksum("restricted", "--set", "ingress.className=other")
    assert checksum("restricted") != checksum("restricted", "--set", "room.settings.stage.fps=10")
    assert checksum("restricted") != checksum("restricted", "--set", "room.files.extra=text")


def test_fifty_rooms_are_fifty_of_everything() -> None:
    found = objects("fifty-rooms")
    for kind in ("Deployment", "Service", "Ingress", "PersistentVolumeClaim", "ConfigMap"):
        assert len(of_kind(found, kind)) == 50
    addresses = {
        (rule["host"], rule["http"]["paths"][0]["path"])
        for each in of_kind(found, "Ingress")
        for rule in each["spec"]["rules"]
    }
    assert len(addresses) == 50


def rooms(found: list[Object]) -> list[Object]:
    """The Deployments of rooms."""
    return [
        each
        for each in of_kind(found, "Deployment")
        if each["metadata"]["labels"]["app.kubernetes.io/component"] == "room"
    ]


def policies_of(found: list[Object], pod: Object) -> list[Any]:
    """The NetworkPolicies that select a pod."""
    return [
        each
        for each in of_kind(found, "NetworkPolicy")
        if selects(each["spec"]["podSelector"]["matchLabels"], pod["metadata"]["labels"])
    ]
