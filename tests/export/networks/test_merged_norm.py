"""A merged batch normalisation does what the two layers do one after the other."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from export.networks.merged_norm import norm_after, norm_before

IN, OUT = 5, 7


def batch_norm(kind: type[nn.BatchNorm1d] | type[nn.BatchNorm2d], channels: int) -> nn.BatchNorm1d | nn.BatchNorm2d:
    norm = kind(channels).eval()
    with torch.no_grad():
        for tensor in norm.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(torch.rand_like(tensor) + 0.5)
    return norm


@pytest.fixture(autouse=True)
def same_numbers_every_run() -> None:
    torch.manual_seed(0)


@torch.no_grad()
def test_after_a_linear_layer() -> None:
    linear, norm = nn.Linear(IN, OUT, bias=False), batch_norm(nn.BatchNorm1d, OUT)
    x = torch.randn(11, IN)
    assert torch.allclose(F.linear(x, *norm_after(linear.weight, norm)), norm(linear(x)), atol=1e-6)


@torch.no_grad()
def test_after_a_transposed_convolution() -> None:
    up, norm = nn.ConvTranspose2d(IN, OUT, 3, stride=2, bias=False), batch_norm(nn.BatchNorm2d, OUT)
    x = torch.randn(2, IN, 4, 6)
    weight, bias = norm_after(up.weight, norm, out_dim=1)
    assert torch.allclose(F.conv_transpose2d(x, weight, bias, stride=2), norm(up(x)), atol=1e-6)


@torch.no_grad()
def test_two_in_front_of_a_linear_layer() -> None:
    linear, first, second = nn.Linear(IN, OUT), batch_norm(nn.BatchNorm1d, IN), batch_norm(nn.BatchNorm1d, IN)
    x = torch.randn(11, IN)
    merged = F.linear(x, *norm_before(linear.weight, linear.bias, first, second))
    assert torch.allclose(merged, linear(second(first(x))), atol=1e-5)


@torch.no_grad()
def test_in_front_of_a_1x1_convolution() -> None:
    convolution, norm = nn.Conv2d(IN, OUT, 1), batch_norm(nn.BatchNorm2d, IN)
    assert convolution.bias is not None
    x = torch.randn(2, IN, 4, 6)
    merged = F.conv2d(x, *norm_before(convolution.weight, convolution.bias, norm))
    assert torch.allclose(merged, convolution(norm(x)), atol=1e-5)
