#!/usr/bin/python3
"""kube_prepare.py MANIFESTS PROBES: what `podman play kube` (4.3) can run of rendered manifests, on stdout. The manifests
themselves are for validation, this is for running:

- a Deployment or StatefulSet becomes one Pod of its name, by which the others find it, without a Service;
- Secrets become ConfigMaps, and so does each folder of a projected volume;
- httpGet probes leave (podman would run curl in the container): they go to the file PROBES as "POD PROBE PORT PATH" lines,
  for engine.sh to ask.
"""
import base64
import sys

import yaml


def to_config_maps(node):
    if isinstance(node, dict):
        for old, new in (("secretKeyRef", "configMapKeyRef"), ("secretRef", "configMapRef")):
            if old in node:
                node[new] = node.pop(old)
        if isinstance(node.get("secret"), dict) and "secretName" in node["secret"]:
            node["configMap"] = {"name": node.pop("secret")["secretName"]}
        for child in node.values():
            to_config_maps(child)
    elif isinstance(node, list):
        for child in node:
            to_config_maps(child)


def merge_projected(spec, config_maps, out):
    """A volume for each folder of it: a key of a ConfigMap has no '/'."""
    for volume in list(spec.get("volumes", [])):
        projected = volume.pop("projected", None)
        if not projected:
            continue
        folders = {"": {}}
        for source in (s.get("configMap") or s["secret"] for s in projected["sources"]):
            data = config_maps[source["name"]]
            for item in source.get("items") or [{"key": key, "path": key} for key in data]:
                folder, _, name = item["path"].rpartition("/")
                folders.setdefault(folder, {})[name] = data[item["key"]]
        for folder, data in folders.items():
            name = f"{volume['name']}-{folder}".rstrip("-")
            out.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"projected-{name}"}, "data": data})
            if folder:
                spec["volumes"].append({"name": name, "configMap": {"name": f"projected-{name}"}})
                for container in spec["containers"]:
                    at = [m for m in container["volumeMounts"] if m["name"] == volume["name"]]
                    container["volumeMounts"] += [{"name": name, "mountPath": f"{m['mountPath']}/{folder}"} for m in at]
            else:
                volume["configMap"] = {"name": f"projected-{name}"}


def take_probes(pod, spec, probes):
    for container in spec["containers"]:
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", []) if "name" in port}
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            get = container.pop(kind, {}).get("httpGet")
            if get:
                probes.append(f"{pod} {kind} {ports.get(get['port'], get['port'])} {get.get('path', '/')}\n")


def prepare(document, config_maps, probes):
    kind, metadata = document["kind"], document["metadata"]
    metadata.pop("namespace", None)
    if kind == "Secret":
        data = {key: base64.b64decode(text).decode() for key, text in document.get("data", {}).items()}
        data.update(document.get("stringData", {}))
        config_maps[metadata["name"]] = data
        return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}]
    if kind == "ConfigMap":
        config_maps[metadata["name"]] = document["data"]
        return [document]
    if kind == "PersistentVolumeClaim":
        return [document]
    if kind not in ("Deployment", "StatefulSet"):
        return []
    spec = document["spec"]["template"]["spec"]
    out = []
    for claim in document["spec"].get("volumeClaimTemplates", []):
        name = claim["metadata"]["name"]
        claim.update(apiVersion="v1", kind="PersistentVolumeClaim", metadata={"name": f"{name}-{metadata['name']}-0"})
        volume = {"name": name, "persistentVolumeClaim": {"claimName": claim["metadata"]["name"]}}
        spec.setdefault("volumes", []).append(volume)
        out.append(claim)
    merge_projected(spec, config_maps, out)
    to_config_maps(spec)
    take_probes(metadata["name"], spec, probes)
    for container in spec["containers"]:
        for variable in container.get("env", []):  # podman would look for it in its own idea of a pod
            if variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath") == "metadata.name":
                variable.pop("valueFrom")
                variable["value"] = metadata["name"]
    labels = document["spec"]["template"]["metadata"].get("labels", {})
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": metadata["name"], "labels": labels}, "spec": spec}
    return out + [pod]


def main():
    config_maps, probes, out = {}, [], []
    with open(sys.argv[1], encoding="utf-8") as file:
        documents = [document for document in yaml.safe_load_all(file) if document]
    documents.sort(key=lambda d: d["kind"] not in ("Secret", "ConfigMap"))
    for document in documents:
        out += prepare(document, config_maps, probes)
    # podman reads them in order: what pods use comes first, and NATS before those who need it.
    order = {"ConfigMap": 0, "PersistentVolumeClaim": 1}
    out.sort(key=lambda d: (order.get(d["kind"], 2), d["metadata"]["name"] != "nats"))
    yaml.safe_dump_all(out, sys.stdout, sort_keys=False)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.writelines(probes)


main()
