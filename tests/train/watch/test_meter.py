import pytest
import torch

from train.fit import Step
from train.watch.meter import Meter, peak_flops


def steps(*seconds: float, waited: float = 0.0) -> list[Step]:
    return [Step(number, torch.zeros(()), each, waited) for number, each in enumerate(seconds, 1)]


def meter(flops: float = 1e12) -> Meter:
    return Meter(batch_size=8, flops=lambda: flops, device=torch.device("cpu"), processes=1)


def test_a_window_is_summed_up_as_a_whole() -> None:
    values = meter(flops=2e12)(steps(1.0, 3.0, waited=0.5))
    assert values["images_per_second"] == 4.0  # 16 in four seconds, not the mean of 8 and 2.7
    assert values["data_wait"] == 0.25
    assert values["tflops"] == 8.0


def test_what_a_processor_could_do_is_not_known_so_no_share_of_it_is_told() -> None:
    assert peak_flops(torch.device("cpu")) == 0
    assert "mfu" not in meter(flops=2e12)(steps(1.0))


def test_memory_is_the_most_that_this_process_had() -> None:
    before = meter()(steps(1.0))["memory_gb"]
    held = torch.ones(100_000_000)  # 0.4 GB
    assert meter()(steps(1.0))["memory_gb"] >= max(before, 0.4)
    assert held[0] == 1


@pytest.mark.gpu
def test_the_peak_of_this_gpu_is_known() -> None:
    assert peak_flops(torch.device("cuda")) > 0
