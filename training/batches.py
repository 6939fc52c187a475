"""Batches of photos with depth. A batch follows from the seed and its step alone, so a run can go on from any step."""

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from accuracy.errors import AccuracyError
from accuracy.pair import read_photo, read_truth
from training.augment import Shape, cut, recolour
from training.data import DataSet
from training.errors import TrainingError

_AHEAD = 4  # batches that each worker prepares before they are asked for


class Batch(NamedTuple):
    """Photos of one size with their truths.

    Attributes:
        photos: RGB uint8 (B, H, W, 3).
        truths: inverse depth float32 (B, H, W), larger is nearer, 0 where there is none.
    """

    photos: Tensor
    truths: Tensor


@dataclass(frozen=True)
class Batches(Dataset[Batch | str]):
    """The batch of each step, or one line about why it could not be made.

    Attributes:
        sets: drawn from by their weights.
        shapes: (height, width) that a batch may have, equally likely.
        size: photos in a batch.
        seed: of everything random.
        squashed: a square shape gets photos in their own proportions, squashed, see `training.augment.cut`.
    """

    sets: Sequence[DataSet]
    shapes: Sequence[Shape]
    size: int
    seed: int
    squashed: bool = False

    def __getitem__(self, step: int) -> Batch | str:
        """The batch of `step`; a line instead of an error, which a worker process would bury in a traceback."""
        shape = self.shapes[np.random.default_rng((self.seed, step)).integers(len(self.shapes))]
        try:
            items = [self._item(shape, np.random.default_rng((self.seed, step, slot))) for slot in range(self.size)]
        except AccuracyError as error:
            return str(error)
        photos, truths = zip(*items, strict=True)
        return Batch(torch.from_numpy(np.stack(photos)), torch.from_numpy(np.stack(truths)))

    def _item(
        self, shape: Shape, generator: np.random.Generator
    ) -> tuple[np.typing.NDArray[np.uint8], np.typing.NDArray[np.float32]]:
        weights = np.array([each.weight for each in self.sets])
        chosen = self.sets[generator.choice(len(self.sets), p=weights / weights.sum())]
        pair = chosen.pairs[generator.integers(len(chosen.pairs))]
        squashed = self.squashed and shape[0] == shape[1]
        photo, truth = cut(read_photo(pair), read_truth(pair), shape, generator, squashed=squashed)
        return recolour(photo, generator), truth

    def iterate(self, first: int, last: int, workers: int) -> Iterator[Batch]:
        """The batches of steps `first` to `last - 1`, prepared ahead by `workers` processes (0: when asked for).

        Raises:
            TrainingError: a photo or its depth cannot be read.
        """
        loader: DataLoader[Batch | str] = DataLoader(
            self,
            batch_size=None,
            sampler=range(first, last),
            num_workers=workers,
            prefetch_factor=_AHEAD if workers else None,
            worker_init_fn=_quiet_worker,
            multiprocessing_context=_workers_context() if workers else None,
        )
        for batch in loader:
            if isinstance(batch, str):
                raise TrainingError(f"{batch}. Mend the data set, then give the same command again to go on")
            yield Batch(*batch)


def _workers_context() -> BaseContext:
    """Workers that are not forked from this process, whose OpenMP and OpenCV threads a fork would leave locked."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _quiet_worker(_: int) -> None:
    """A worker leaves interrupts to the main process, which keeps the run's state and then ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    cv2.setNumThreads(1)
