"""What the config of a model says, read as the Triton of a bare machine reads it."""

from pathlib import Path
from typing import Any

from google.protobuf import json_format, text_format  # type: ignore[import-untyped]
from tritonclient.grpc import model_config_pb2

from export.errors import ConfigError
from midas_server.options import VariantRules
from midas_server.repository import CONFIG_FILE, PYTHON_BACKEND_CONFIG, preprocess_model


def read_config(folder: Path) -> dict[str, Any]:
    """Read the config of the model in `folder`.

    Returns:
        The config as Triton gives it to a step: a dictionary as JSON would be, numbers of 64 bits as strings.

    Raises:
        ConfigError: there is none, or it cannot be read.
    """
    own = folder / PYTHON_BACKEND_CONFIG
    file = own if own.is_file() else folder / CONFIG_FILE
    try:
        return config_of(file.read_text())
    except FileNotFoundError:
        raise ConfigError(f"there is no {file}: export the network into this repository first") from None
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise ConfigError(f"{file} is not a model config: {error}") from None


def config_of(text: str) -> dict[str, Any]:
    """Read the text of a config, as `read_config` does; raises text_format.ParseError where it is none."""
    parsed = text_format.Parse(text, model_config_pb2.ModelConfig())
    config: dict[str, Any] = json_format.MessageToDict(parsed, preserving_proto_field_name=True)
    return config


def read_rules(repository: Path, name: str) -> VariantRules:
    """Read the rules of the network `name` from the config of its preprocess step, as the step itself does.

    Raises:
        ConfigError: there is no such step, or its config lacks a rule.
    """
    folder = repository / preprocess_model(name)
    try:
        return VariantRules.from_config(read_config(folder).get("parameters", {}))
    except ValueError as error:
        raise ConfigError(f"{folder / CONFIG_FILE} is no config of a preprocess step: {error}") from None
