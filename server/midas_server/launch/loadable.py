"""Whether the models that are named can be served: told before Triton starts, which would say it deep in its log."""

from collections.abc import Sequence
from pathlib import Path

from midas_server.launch.plans import PlanRefused, check_plans
from midas_server.launch.readiness import StartFailed
from midas_server.licences import allows_business, why_not
from midas_server.repository import (
    CONFIG_FILE,
    ManifestError,
    licence_of,
    models_in,
    names_in,
    version_folder,
    weights_of,
)
from midas_server.served_names import nearest


def check_loadable(repository: Path, models: Sequence[str], *, commercial: bool) -> None:
    """Check that each model is there, with its network, and may be used.

    Args:
        repository: a model repository.
        models: ensembles in it.
        commercial: refuse a network whose licence does not allow business.

    Raises:
        StartFailed: the text says what is wrong with which model, and what to do.
    """
    if not repository.is_dir():
        raise StartFailed(f"there is no model repository at {repository}: export a variant into it first")
    if not models:
        raise StartFailed("no model is named: name at least one of the repository's")
    for model in models:
        if not (repository / model / CONFIG_FILE).is_file():
            there = models_in(repository)
            raise StartFailed(
                f"there is no model '{model}' in {repository}; there are: {', '.join(there) or 'none'}"
                f"{nearest(model, there) or '.'} `python -m export list` shows what can be exported"
            )
        if model in names_in(repository) and not version_folder(repository, model).is_dir():
            raise StartFailed(
                f"the network of '{model}' is not in {repository} yet. Export it first: "
                f"python -m export {model} --repository {repository}"
            )
    try:
        for model in models:
            weights_of(repository, model)
            licence = licence_of(repository, model)
            if commercial and not allows_business(licence):
                raise StartFailed(f"{model} is refused by --commercial: {why_not(licence)}. Name another model")
        check_plans(repository, models)
    except (ManifestError, PlanRefused) as error:
        raise StartFailed(str(error)) from None
