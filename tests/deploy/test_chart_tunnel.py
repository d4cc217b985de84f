"""The tunnel's rules are complete: each room by its own, access checked in each, and nothing else let through."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.deploy import chart
from tests.deploy.chart import Object, containers, objects, of_kind, pods
from tests.support.cloudflared_rules import problems

WITH_RULES = ("tunnel", "two-rooms", "tunnel-to-ingress")


def config_of(name: str) -> Object:
    (found,) = [each for each in of_kind(objects(name), "ConfigMap") if "config.yaml" in each["data"]]
    return chart.parsed(found["data"]["config.yaml"])[0]


def rules_of(name: str) -> list[Any]:
    return list(config_of(name)["ingress"])


def pod_of(name: str) -> Object:
    return pods(objects(name))["house-belvedere-cloudflared"]


@pytest.mark.parametrize("name", WITH_RULES)
def test_access_is_required_within_each_rule_and_the_last_refuses_the_rest(name: str) -> None:
    *rules, last = rules_of(name)
    assert last == {"service": "http_status:404"}
    rules = [rule for rule in rules if rule["service"] != "http_status:404"]
    assert rules
    assert "originRequest" not in config_of(name), "at the top it has no effect"
    for rule in rules:
        assert rule["hostname"] == "home.example.org"
        assert "httpHostHeader" not in rule["originRequest"]
        assert rule["originRequest"]["access"] == {
            "required": True,
            "teamName": "our-house",
            "audTag": ["0123456789abcdef" * 4],
        }
        assert rule["originRequest"]["keepAliveTimeout"] == "60s"


def test_a_rule_leads_to_the_rooms_service_or_to_the_controller() -> None:
    (service,) = of_kind(objects("tunnel"), "Service")
    _, rule, _ = rules_of("tunnel")
    assert rule["service"] == f"http://{service['metadata']['name']}.belvedere.svc"
    assert rules_of("tunnel-to-ingress")[1]["service"] == "http://traefik.kube-system.svc.cluster.local"


@pytest.mark.parametrize("name", WITH_RULES)
def test_cloudflared_would_read_the_rules_as_they_are_meant(name: str) -> None:
    found = problems(config_of(name))
    # The metrics' address is an argument, for the kubelet; the NetworkPolicy says who else may ask there.
    assert [each for each in found if not each.startswith("metrics:")] == []


KITCHEN, STUDY = "http://house-belvedere-kitchen.belvedere.svc", "http://house-belvedere-study.belvedere.svc"
REFUSED = "http_status:404"


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/kitchen", KITCHEN),
        ("/kitchen/api/v1/control", KITCHEN),
        ("/study/", STUDY),
        ("/kitchens", REFUSED),
        ("/", REFUSED),
        ("/kitchen/readyz", REFUSED),
        ("/kitchen/room/readyz", KITCHEN),
    ],
)
def test_the_first_rule_that_fits_a_path_decides(path: str, service: str) -> None:
    assert next(rule["service"] for rule in rules_of("two-rooms") if re.search(rule.get("path", ""), path)) == service


def test_it_is_ready_when_connected_and_not_restarted_when_the_internet_is_away() -> None:
    (container,) = containers(pod_of("tunnel"))
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthcheck"
    assert f"0.0.0.0:{container['ports'][0]['containerPort']}" in container["args"]


@pytest.mark.parametrize(("name", "file"), [("tunnel", "credentials.json"), ("token", "token")])
def test_the_secret_is_a_file_and_in_no_argument(name: str, file: str) -> None:
    pod = pod_of(name)
    (container,) = containers(pod)
    (volume,) = [each for each in pod["spec"]["volumes"] if each["name"] == "secret"]
    assert volume["secret"]["secretName"] == "tunnel"
    assert volume["secret"]["items"][0]["path"] == file
    assert "env" not in container
    path = f"/etc/cloudflared/secret/{file}"
    assert path in container["args"] if name == "token" else config_of(name)["credentials-file"] == path


def test_a_tunnel_of_the_dashboard_has_no_rules_here() -> None:
    assert not [each for each in of_kind(objects("token"), "ConfigMap") if "config.yaml" in each["data"]]
    assert "--config" not in containers(pod_of("token"))[0]["args"]


@pytest.mark.parametrize("name", WITH_RULES)
def test_it_may_reach_the_edge_dns_cloudflares_keys_and_where_its_rules_lead(name: str) -> None:
    (policy,) = [
        each
        for each in of_kind(objects(name), "NetworkPolicy")
        if each["metadata"]["name"] == "house-belvedere-cloudflared"
    ]
    ports = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
    assert ports - {443} == {53, 7844, 8000 if name == "tunnel-to-ingress" else 8080}


def test_prometheus_may_read_the_tunnels_metrics_and_nobody_else() -> None:
    def sources(name: str) -> list[Any]:
        policies = of_kind(objects(name), "NetworkPolicy")
        (policy,) = [each for each in policies if "cloudflared" in each["metadata"]["name"]]
        return list(policy["spec"]["ingress"])

    assert sources("tunnel") == []
    (rule,) = sources("tunnel-to-ingress")
    assert rule["ports"] == [{"port": "metrics", "protocol": "TCP"}]
    assert rule["from"][0]["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "monitoring"}
