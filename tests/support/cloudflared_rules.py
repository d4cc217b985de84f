"""What cloudflared demands of its configuration file, and what we demand beyond that, as a checker.

Its demands are those of its documentation (Configuration file, Origin parameters, Tunnel run parameters), and of what
it checks when it reads the file. It only warns of keys that it does not know; here they are errors. Ours: whoever comes
by a rule that leads to a server has logged in at Cloudflare Access.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

RUN_PARAMETERS = {
    "autoupdate-freq": str,
    "edge-bind-address": str,
    "edge-ip-version": str,
    "grace-period": str,
    "logfile": str,
    "loglevel": str,
    "metrics": str,
    "no-autoupdate": bool,
    "origincert": str,
    "pidfile": str,
    "post-quantum": bool,
    "protocol": str,
    "region": str,
    "retries": int,
    "tag": str,
    "token": str,
    "token-file": str,
}
TOP = {
    **RUN_PARAMETERS,
    "tunnel": str,
    "credentials-file": str,
    "ingress": list,
    "originRequest": dict,
    "warp-routing": dict,
}
RULE = {"hostname": str, "path": str, "service": str, "originRequest": dict}
ORIGIN = {
    "access": dict,
    "bastionMode": bool,
    "caPool": str,
    "connectTimeout": str,
    "disableChunkedEncoding": bool,
    "http2Origin": bool,
    "httpHostHeader": str,
    "ipRules": list,
    "keepAliveConnections": int,
    "keepAliveTimeout": str,
    "matchSNItoHost": bool,
    "noHappyEyeballs": bool,
    "noTLSVerify": bool,
    "originServerName": str,
    "proxyAddress": str,
    "proxyPort": int,
    "proxyType": str,
    "tcpKeepAlive": str,
    "tlsTimeout": str,
}
ACCESS = {"required": bool, "teamName": str, "audTag": list}
DURATIONS = {"connectTimeout", "keepAliveTimeout", "tcpKeepAlive", "tlsTimeout"}
DURATION = re.compile(r"([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+")  # of Go
HOSTNAME = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
SCHEMES = {"http", "https", "ws", "wss", "tcp", "ssh", "rdp", "smb"}
WORDS = {"hello_world", "hello-world", "helloworld", "bastion", "socks-proxy"}
AUDIENCE = re.compile(r"[0-9a-f]{64}")


def problems(configuration: object, *, needs_login: bool = True) -> list[str]:
    """Everything that is wrong with a configuration, as YAML gives it; each as one line."""
    if not isinstance(configuration, dict):
        return ["is no mapping"]
    found = _unknown(configuration, TOP, "")
    if "tunnel" in configuration and not {"credentials-file", "token", "token-file"} & configuration.keys():
        found.append("a tunnel needs its credentials-file")
    if not str(configuration.get("metrics", "")).startswith(("127.0.0.1:", "localhost:")):
        found.append("metrics: is not for this computer alone")
    top = configuration.get("originRequest", {})
    found += _origin(top, "originRequest")
    if isinstance(top, dict) and "access" in top:
        found.append("originRequest.access: counts inside a rule only; at the top it is ignored without a word")
    rules = configuration.get("ingress")
    if not rules:
        return [*found, "ingress: has no rules"]
    for number, rule in enumerate(rules):
        where = f"ingress[{number}]"
        found += _rule(rule, where, is_last=number == len(rules) - 1)
        if needs_login and isinstance(rule, dict) and not str(rule.get("service", "")).startswith("http_status:"):
            found += _access(rule.get("originRequest", {}).get("access", {}), f"{where}.originRequest.access")
    return found


def _rule(rule: object, where: str, *, is_last: bool) -> list[str]:
    found = _unknown(rule, RULE, where)
    if not isinstance(rule, dict):
        return found
    hostname, path, service = (str(rule.get(key, "")) for key in ("hostname", "path", "service"))
    catches_all = hostname in {"", "*"} and not path
    if is_last is not catches_all:
        found.append(f"{where}: {'the last rule must' if is_last else 'only the last rule may'} match everything")
    if hostname not in {"", "*"} and HOSTNAME.fullmatch(hostname) is None:
        found.append(f"{where}.hostname: no name, or a wildcard that is not its whole first part, or a port")
    try:
        re.compile(path)
    except re.error as error:
        found.append(f"{where}.path: {error}")
    found += [f"{where}.service: {problem}" for problem in _service(service)]
    origin = rule.get("originRequest", {})
    return found + _origin(origin, f"{where}.originRequest")


def _service(service: str) -> list[str]:
    if service in WORDS or re.fullmatch(r"unix(\+tls)?:/.+", service):
        return []
    if service.startswith("http_status:"):
        is_status = re.fullmatch(r"http_status:[1-9][0-9]{2}", service) is not None
        return [] if is_status else ["no HTTP status"]
    parts = urlsplit(service)
    if parts.scheme not in SCHEMES or not parts.hostname:
        return ["needs a scheme and a host"]
    return ["must have no path: the visitor's is taken"] if parts.path or parts.query else []


def _origin(origin: object, where: str) -> list[str]:
    found = _unknown(origin, ORIGIN, where)
    if not isinstance(origin, dict):
        return found
    found += [
        f"{where}.{key}: no duration, such as 30s"
        for key in sorted(DURATIONS & origin.keys())
        if DURATION.fullmatch(str(origin[key])) is None
    ]
    if "httpHostHeader" in origin:
        found.append(f"{where}.httpHostHeader: Belvedere needs the Host that the browser asked for")
    return found


def _access(access: object, where: str) -> list[str]:
    found = _unknown(access, ACCESS, where)
    if not isinstance(access, dict):
        return found
    if access.get("required") is not True:
        found.append(f"{where}.required: is not true, so nobody has to log in")
    if not access.get("teamName"):
        found.append(f"{where}.teamName: is missing")
    tags = access.get("audTag") or []
    if not tags or any(AUDIENCE.fullmatch(str(tag)) is None for tag in tags):
        found.append(f"{where}.audTag: needs the 64 digits of an application's tag")
    return found


def _unknown(table: object, known: Mapping[str, type], where: str) -> list[str]:
    before = f"{where}." if where else ""
    if not isinstance(table, dict):
        return [f"{where}: is no mapping"]
    found = [f"{before}{key}: is not known" for key in table if key not in known]
    return found + [
        f"{before}{key}: is no {known[key].__name__}"
        for key, value in table.items()
        if key in known and type(value) is not known[key]
    ]
