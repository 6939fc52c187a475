"""The command line."""

import argparse
from pathlib import Path

import pytest

from benchmarks.__main__ import COMMANDS, main
from benchmarks.commands.arguments import (
    builds,
    concurrencies,
    instances,
    models,
    photo_size,
    photo_sizes,
    rates,
    results,
    rounds,
    seconds,
)
from export.targets.builds import Build


@pytest.mark.parametrize(("text", "values"), [("1:4", [1, 2, 3, 4]), ("8", [8]), ("1,4,16", [1, 4, 16])])
def test_concurrencies_are_a_range_or_a_list(text: str, values: list[int]) -> None:
    assert concurrencies(text) == values


@pytest.mark.parametrize("text", ["", "0:3", "4:1", "1-4", "two", "1,", "-1"])
def test_other_concurrencies_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="a range such as 1:8 or a list"):
        concurrencies(text)


def test_rates_are_percentages() -> None:
    assert rates("25,90,400") == [0.25, 0.9, 4.0]
    assert rates("none") == []
    for text in ("", "0", "50%", "0.5", "2000"):
        with pytest.raises(argparse.ArgumentTypeError, match="percentages"):
            rates(text)


def test_models_are_separated_by_spaces() -> None:
    assert models(" small  large ") == ["midas_v21_small_256", "dpt_large_384"]
    with pytest.raises(argparse.ArgumentTypeError, match="at least one"):
        models(" ")


def test_builds_are_those_of_the_exporter() -> None:
    assert builds("onnx:fp32 openvino:bf16") == [Build("onnx", "fp32"), Build("openvino", "bf16")]
    for text in ("onnx", "onnx:bf16", "tflite:int8"):
        with pytest.raises(argparse.ArgumentTypeError, match=r"there is no build .*TARGET:PRECISION"):
            builds(text)
    with pytest.raises(argparse.ArgumentTypeError, match="at least one"):
        builds(" ")


def test_photo_sizes_are_widths_and_heights() -> None:
    assert photo_size("640x480") == (640, 480)
    assert photo_sizes("640x480,4000x3000,640x480") == [(640, 480), (4000, 3000)]
    for text in ("640", "0x480", "640*480", "x"):
        with pytest.raises(argparse.ArgumentTypeError, match="1920x1080"):
            photo_size(text)


def test_results_are_the_records() -> None:
    assert results("network,png16") == ["network", "png16"]
    with pytest.raises(argparse.ArgumentTypeError, match=r"'jpeg' is not a kind of result: .* network,photo,png16"):
        results("photo,jpeg")


def test_numbers_are_within_reason() -> None:
    assert seconds("2.5") == 2.5
    for text in ("0", "-1", "nan", "soon", "1e9"):
        with pytest.raises(argparse.ArgumentTypeError, match=r"0\.5 to 600"):
            seconds(text)
    assert rounds("3") == 3
    for text in ("0", "-1", "2.5", "101"):
        with pytest.raises(argparse.ArgumentTypeError, match="1 to 100"):
            rounds(text)
    assert instances("2") == 2
    for text in ("0", "two", "65"):
        with pytest.raises(argparse.ArgumentTypeError, match="of instances from 1 to 64"):
            instances(text)


def test_an_unknown_option_is_told_with_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--concurrency", "none"])
    assert "give a range such as 1:8" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    told = capsys.readouterr().out
    assert told.startswith(f"usage: python -m benchmarks {command} ")
    # gpu is run where nothing else of the project's can be
    assert command == "gpu" or all(f"  {name} " in told for name in COMMANDS)


def test_the_variable_models_is_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MODELS", "no_such_network")
    assert main(["--repository", str(tmp_path)]) == 1
    assert "no_such_network" in capsys.readouterr().err


def test_a_running_server_has_one_format(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--url", "127.0.0.1:1", "--builds", "onnx:fp32 onnx:int8"]) == 1
    assert "a running server has one build" in capsys.readouterr().err
