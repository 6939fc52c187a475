"""Reading what perf_analyzer writes, in the words that version 2.51.0 writes."""

import re

import pytest

from benchmarks.errors import BenchmarkError, Refused, TooShort
from benchmarks.load.measurement import Measurement
from benchmarks.load.perf_analyzer import explain, read_report

HEADER = (
    "Concurrency,Inferences/Second,Client Send,Network+Server Send/Recv,Server Queue,Server Compute Input,"
    "Server Compute Infer,Server Compute Output,Client Recv,p50 latency,p90 latency,p95 latency,p99 latency,"
    "Avg latency,request/response,response wait"
)
ROW = "4,39.8263,69,36162,2,558,59089,1365,6,90023,110915,185718,187781,97253,75,97091"


def test_report_is_read_in_milliseconds() -> None:
    assert read_report(f"{HEADER}\n{ROW}\n") == Measurement(39.8263, 97.253, 90.023, 110.915, 185.718, 187.781)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "should hold one row, it holds 0"),
        (f"{HEADER}\n{ROW}\n{ROW}\n", "should hold one row, it holds 2"),
        ("Concurrency,Inferences/Second\n4,39.8\n", "has no column 'Avg latency'; it has Concurrency, Inf"),
    ],
)
def test_another_report_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(BenchmarkError, match=complaint):
        read_report(text)


@pytest.mark.parametrize(
    ("stderr", "cause"),
    [
        (
            "perf_analyzer: error while loading shared libraries: libb64.so.0d: cannot open shared object file: No "
            "such file or directory\n",
            "perf_analyzer needs libb64.so.0d, which neither .* run `make setup`",
        ),
        (
            "WARNING: Pass contained only one request, so sample latency standard deviation will be infinity.\n"
            "No valid requests recorded within time interval. Please use a larger time window.\n\n",
            "give --seconds a larger value",
        ),
        ("error: failed to find the requested model version\n\n", "give --seconds a larger value"),
        ("Failed to obtain stable measurement.\n", "give --seconds a larger value"),
        (
            "Failed to maintain requested inference load. Worker thread(s) failed to generate concurrent requests.\n"
            "Thread [0] had error: in ensemble 'v', not an image\n\n"
            "Thread [1] had error: in ensemble 'v', not an image\n",
            "the server refused a request: in ensemble 'v', not an image$",
        ),
        (
            "error: failed to get model metadata: Request for unknown model: 'nope' is not found\n\n",
            "failed with status 99: failed to get model metadata: Request for unknown model: 'nope' is not found$",
        ),
        ("", r"failed with status 99: \(nothing\)"),
    ],
)
def test_failure_becomes_one_line(stderr: str, cause: str) -> None:
    error = explain(stderr, 99)
    assert "\n" not in str(error)
    assert re.search(cause, str(error))
    assert isinstance(error, TooShort) == ("--seconds" in cause)
    assert isinstance(error, Refused) == ("refused" in cause)
