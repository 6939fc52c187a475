"""The record that every part of the benchmarks writes and reads."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.record import (
    SCHEMA,
    Closed,
    Limit,
    Open,
    PeerRow,
    Record,
    Row,
    Step,
    add,
    by_machine,
    merge,
    schema_text,
)
from reports.gpu import Gpu
from reports.machine import Machine
from reports.records import RecordError, read_record, write_record

ROW = Row(
    model="small",
    build="onnx fp32",
    weights="official",
    target="ensemble",
    photo="1920x1080",
    network_size="256x160",
    result="network",
    load=Closed(concurrency=8),
    photos_per_second=12.5,
    mean_ms=640.0,
    p50_ms=630.0,
    p90_ms=700.0,
    p95_ms=710.0,
    p99_ms=800.0,
    steps=(Step(step="network", queue_ms=1.0, compute_ms=50.0, copy_ms=0.25, batch=2.5),),
    cpu_cores=1.9,
    memory_mb=210.0,
)
LIMIT = Limit(
    model="small",
    build="onnx fp32",
    photo="1920x1080",
    result="network",
    photos_per_second=14.0,
    one_ms=80.0,
    workers=2,
    threads=1,
)
PEER = PeerRow(
    peer="fastapi + pytorch",
    model="small",
    build="onnx fp32",
    photo="1920x1080",
    clients=8,
    photos_per_second=5.0,
    p50_ms=1500.0,
    p99_ms=2500.0,
    answered=40,
    lost=2,
)
RECORD = Record(
    measured_at="2026-11-22T19:31:18+00:00",
    command="python -m benchmarks",
    machine=Machine("a processor", cores=2, memory_gib=8.0, system="Linux 6", busy_percent=1.5),
    versions={"triton": "2.51.0"},
    rows=(ROW,),
    limits=(LIMIT,),
    peers=(PEER,),
)
T4 = Gpu("Tesla T4", "550.1", memory_mib=15360, clock_mhz=1590, power_limit_w=70.0, compute="7.5")


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "made" / "record.json"
    opened = replace(ROW, load=Open(rate=9.4, share=0.75), refused=0.0)
    record = replace(RECORD, rows=(ROW, opened), machine=replace(RECORD.machine, gpu=T4))
    write_record(file, record)
    assert read_record(Record, file) == record
    assert [each.name for each in file.parent.iterdir()] == ["record.json"]
    assert json.loads(file.read_text())["rows"][0]["load"] == {"kind": "closed", "concurrency": 8}


def test_records_that_call_a_build_a_format_are_read(tmp_path: Path) -> None:
    """They are of schema 1; what is written from them is of the schema of today."""
    content = {**json.loads(json.dumps(asdict(RECORD))), "schema": 1}
    for entry in (content["rows"][0], content["limits"][0], content["peers"][0]):
        entry["format"] = entry.pop("build")
    (file := tmp_path / "record.json").write_text(json.dumps(content))
    assert read_record(Record, file) == RECORD
    write_record(file, read_record(Record, file))
    assert json.loads(file.read_text())["schema"] == 2
    assert json.loads(file.read_text())["rows"][0]["build"] == "onnx fp32"


def test_the_schema_is_the_dataclasses() -> None:
    assert SCHEMA.read_text() == schema_text(), "run: python -m benchmarks.record"
    definitions = json.loads(SCHEMA.read_text())["$defs"]
    entries = {"Row", "Limit", "PeerRow", "Choice", "NetworkRow"}
    assert entries | {"Closed", "Open", "Step", "Machine", "Gpu"} == set(definitions)
    assert set(definitions["Row"]["properties"]) == set(asdict(ROW))
    assert definitions["Row"]["properties"]["p99_ms"] == {"type": "number"}
    assert definitions["Limit"]["required"][:2] == ["model", "build"]


def test_fields_with_a_default_may_be_missing_and_integers_are_numbers(tmp_path: Path) -> None:
    content = asdict(RECORD)
    del content["peers"], content["machine"]["gpu"], content["rows"][0]["steps"]
    content["rows"][0]["p50_ms"] = 630
    (file := tmp_path / "record.json").write_text(json.dumps(content))
    read = read_record(Record, file)
    assert (read.peers, read.rows[0].steps, read.rows[0].p50_ms) == ((), (), 630.0)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"schema": 3}, "schema is 3: it should be 2"),
        ({"colour": "red"}, "colour is not known"),
        ({"rows": {}}, "rows is {}: it should be a valid"),
        ({"versions": {"triton": 2.51}}, r"versions.triton is 2.51: it should be a valid string"),
        ({"rows": [{"model": "small"}]}, r"rows\[0\].build is missing"),
        ({"rows": [{**asdict(ROW), "target": "step"}]}, r"rows\[0\].target is 'step'.*'ensemble' or 'network'"),
        ({"rows": [{**asdict(ROW), "p50_ms": "630"}]}, r"rows\[0\].p50_ms is '630': it should be a valid number"),
        ({"rows": [{**asdict(ROW), "cpu_cores": "2"}]}, r"rows\[0\].cpu_cores is '2': it should be a valid number"),
        ({"rows": [{**asdict(ROW), "load": {"kind": "wave"}}]}, r"load .*'wave'.*'closed', 'open'"),
        ({"rows": [{**asdict(ROW), "load": {"kind": "open"}}]}, r"rows\[0\].load.open.rate is missing"),
    ],
)
def test_what_is_not_a_record_is_refused_with_its_place(
    change: dict[str, object], complaint: str, tmp_path: Path
) -> None:
    (file := tmp_path / "record.json").write_text(json.dumps({**asdict(RECORD), **change}))
    with pytest.raises(RecordError, match=complaint) as told:
        read_record(Record, file)
    assert str(file) in str(told.value)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"cannot read .*none.json: No such file"):
        read_record(Record, tmp_path / "none.json")
    (file := tmp_path / "half.json").write_text('{"schema": 1,')
    with pytest.raises(RecordError, match=r"half.json is not JSON"):
        read_record(Record, file)


def test_entries_of_the_same_key_are_replaced_and_others_added(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    header = replace(RECORD, rows=(), limits=(), peers=())
    add(file, header, ROW, LIMIT)
    again = replace(ROW, photos_per_second=13.0, steps=())
    second = replace(ROW, round=2)
    over_http = replace(ROW, protocol="http")
    whole = add(file, replace(header, versions={"onnxruntime": "1.24"}), again, second, over_http, PEER)
    assert whole == read_record(Record, file)
    assert whole.rows == (again, second, over_http)
    assert (whole.limits, whole.peers) == ((LIMIT,), (PEER,))
    assert whole.versions == {"triton": "2.51.0", "onnxruntime": "1.24"}


def test_open_loads_are_the_same_point_at_the_same_share_of_another_peak() -> None:
    opened = replace(ROW, load=Open(rate=9.4, share=0.75))
    assert opened.key == replace(ROW, load=Open(rate=9.9, share=0.75)).key
    assert opened.key != replace(ROW, load=Open(rate=9.4, share=0.5)).key
    assert opened.key != ROW.key


def test_machines_are_kept_apart() -> None:
    newer = replace(RECORD, measured_at="2026-11-23T08:00:00+00:00", rows=(replace(ROW, p50_ms=1.0),))
    with_gpu = replace(RECORD, machine=replace(RECORD.machine, gpu=T4, busy_percent=0.0))
    with pytest.raises(BenchmarkError, match="one machine"):
        merge(RECORD, with_gpu)
    first, second = by_machine([newer, with_gpu, RECORD])
    assert (first.machine.gpu, second.machine.gpu) == (T4, None)
    assert second.rows == newer.rows
    assert second.measured_at == newer.measured_at
