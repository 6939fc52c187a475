"""Which server a text means."""

import pytest

from midas_client import AddressError
from midas_client._address import Address, parse_address


@pytest.mark.parametrize(
    ("url", "expected", "shown"),
    [
        ("localhost:8001", Address("grpc", False, "localhost", 8001), "localhost:8001"),
        (" 10.0.0.7:9 ", Address("grpc", False, "10.0.0.7", 9), "10.0.0.7:9"),
        ("[::1]:8001", Address("grpc", False, "::1", 8001), "[::1]:8001"),
        ("grpc://host:1", Address("grpc", False, "host", 1), "host:1"),
        ("grpcs://host:1", Address("grpc", True, "host", 1), "grpcs://host:1"),
        ("http://host", Address("http", False, "host", 80), "http://host:80"),
        ("http://host:8000/", Address("http", False, "host", 8000), "http://host:8000"),
        ("https://host/depth/", Address("http", True, "host", 443, "/depth"), "https://host:443/depth"),
        ("http://host/a b", Address("http", False, "host", 80, "/a%20b"), "http://host:80/a%20b"),
    ],
)
def test_addresses(url: str, expected: Address, shown: str) -> None:
    address = parse_address(url)
    assert address == expected
    assert str(address) == shown


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "address is ''"),
        ("localhost", "no port"),
        ("ftp://host:1", "begins with ftp://"),
        ("host:port", "not an address"),
        ("host:99999", "not an address"),
        (":8001", "no host"),
        ("host:8001/path", "has a path"),
        ("http://user:secret@host", "more than host"),
        ("http://host/?q=1", "more than host"),
    ],
)
def test_not_addresses(url: str, reason: str) -> None:
    with pytest.raises(AddressError, match=reason):
        parse_address(url)
