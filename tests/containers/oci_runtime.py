#!/usr/bin/python3
"""An OCI runtime: crun without cgroups and without raising limits, for machines (CI containers among them) that let
neither be set. Everything else is crun's own. engine.sh puts it where podman and dockerd look for one."""
import json
import os
import resource
import sys


def value(args, *names):
    for i, arg in enumerate(args):
        for name in names:
            if arg == name:
                return args[i + 1]
            if arg.startswith(name + "="):
                return arg.split("=", 1)[1]
    return None


def fix_process(process):
    process.pop("oomScoreAdj", None)
    for limit in process.get("rlimits") or []:
        hard = resource.getrlimit(getattr(resource, limit["type"]))[1]
        if hard != resource.RLIM_INFINITY:
            limit["hard"] = min(limit["hard"], hard)
            limit["soft"] = min(limit["soft"], limit["hard"])


def fix_config(config):
    config.get("linux", {}).pop("resources", None)
    config.get("linux", {}).pop("cgroupsPath", None)
    config["mounts"] = [m for m in config.get("mounts", []) if m.get("type") not in ("cgroup", "cgroup2")]
    fix_process(config.get("process", {}))


def edit(path, fix):
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    fix(config)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(config, file)


args = sys.argv[1:]
if "create" in args or "run" in args:
    edit(os.path.join(value(args, "--bundle", "-b") or ".", "config.json"), fix_config)
elif "exec" in args and value(args, "--process", "-p"):
    edit(value(args, "--process", "-p"), fix_process)
os.execv("/usr/bin/crun", ["crun", "--cgroup-manager=disabled"] + args)
