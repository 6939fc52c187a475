"""Checks manifests strictly against the schemas of their kinds: an unknown field is a complaint. A program of its own.

The tools' environment runs it (see tools.py), which has packages that do not go with the project's. Manifests come on
standard input, as YAML; arguments are the versions of Kubernetes; complaints go to standard output, a line each.
"""

import ast
import functools
import importlib.util
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-not-found]
import yaml

# Imported where one of them is checked: that takes seconds.
OPERATOR = "prometheus_operator.v1"
PYDANTIC = {"ScaledObject": "keda.v1alpha1", "ServiceMonitor": OPERATOR, "PrometheusRule": OPERATOR}
KSERVE = {"ServingRuntime": "V1alpha1ServingRuntime", "InferenceService": "V1beta1InferenceService"}
Table = dict[str, dict[str, str]]
# It would read the file anew for each manifest.
kubernetes_validate.utils.schema_contents = functools.cache(kubernetes_validate.utils.schema_contents)


def complaints(manifest: dict[str, Any], versions: list[str]) -> Iterator[str]:
    kind = manifest["kind"]
    if kind in PYDANTIC:
        try:
            model = getattr(importlib.import_module(f"cloudcoil.models.{PYDANTIC[kind]}"), kind)
            read = model.model_validate(manifest)
        except ValueError as error:
            yield str(error).replace("\n", " ")
        else:
            yield from lost(manifest, read.model_dump(mode="json", by_alias=True, exclude_unset=True), kind)
    elif kind in KSERVE:
        yield from unknown(manifest, KSERVE[kind], kserve_models(), kind)
    else:
        for version in versions:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")  # else a version without a schema gets another's
                    kubernetes_validate.validate(manifest, version, strict=True)
            except Exception as error:  # noqa: BLE001  (whatever it is, it is a complaint)
                yield f"{version}: {' '.join(str(error).split())}"


def lost(given: Any, read: Any, where: str) -> Iterator[str]:
    """Fields that a model did not take, since it does not know them."""
    if isinstance(given, dict):
        for key, value in given.items():
            if not isinstance(read, dict) or key not in read:
                yield f"{where} has no field {key}"
            else:
                yield from lost(value, read[key], f"{where}.{key}")
    elif isinstance(given, list):
        for number, value in enumerate(given):
            yield from lost(value, read[number], f"{where}[{number}]")


def kserve_models() -> Table:
    """Of each class of KServe's package its fields by their names in YAML. To import it takes much more."""
    spec = importlib.util.find_spec("kserve")
    assert spec is not None
    assert spec.origin is not None
    models: Table = {}
    for file in (Path(spec.origin).parent / "models").glob("v*.py"):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef):
                tables = {
                    target.id: ast.literal_eval(line.value)
                    for line in node.body
                    if isinstance(line, ast.Assign)
                    for target in line.targets
                    if isinstance(target, ast.Name)
                }
                names = tables["attribute_map"]
                models[node.name] = {names[key]: kind for key, kind in tables["openapi_types"].items()}
    return models


def unknown(given: Any, kind: str, models: Any, where: str) -> Iterator[str]:
    """Fields that KServe's package does not know. What is a Pod's is left to `as_pod`."""
    if kind.startswith("list["):
        for number, value in enumerate(given):
            yield from unknown(value, kind[5:-1], models, f"{where}[{number}]")
    elif kind in models:
        for key, value in given.items():
            if key not in models[kind]:
                yield f"{where} has no field {key}"
            else:
                yield from unknown(value, models[kind][key], models, f"{where}.{key}")


def as_pod(runtime: dict[str, Any]) -> dict[str, Any]:
    """What a ServingRuntime says of its containers, as a Pod that Kubernetes' own schema knows."""
    spec = {key: runtime["spec"][key] for key in ("containers", "volumes")}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}


def main() -> None:
    for manifest in yaml.safe_load_all(sys.stdin):
        name = f"{manifest['kind']} {manifest['metadata']['name']}"
        pods = [as_pod(manifest)] if manifest["kind"] == "ServingRuntime" else []
        for checked in (manifest, *pods):
            for complaint in complaints(checked, sys.argv[1:]):
                print(f"{name}: {complaint}")


if __name__ == "__main__":
    main()
