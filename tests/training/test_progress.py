"""The order of the rows of an epoch, and the sizes of chunks."""

import numpy as np

from mltrain.training.progress import Chunks, epoch_order


def test_every_epoch_has_its_own_permutation():
    orders = [tuple(epoch_order(100, seed=42, epoch=epoch)) for epoch in range(1, 21)]
    assert all(sorted(order) == list(range(100)) for order in orders)
    assert len(set(orders)) == 20


def test_the_order_is_a_function_of_seed_and_epoch_only():
    np.random.seed(1)
    first = epoch_order(50, seed=7, epoch=3)
    np.random.seed(2)
    assert (epoch_order(50, seed=7, epoch=3) == first).all()
    assert (epoch_order(50, seed=8, epoch=3) != first).any()


def test_without_shuffling_the_rows_keep_their_order():
    assert epoch_order(5, seed=1, epoch=9, shuffle=False).tolist() == [0, 1, 2, 3, 4]


def test_chunks_grow_to_the_target_and_never_by_more_than_eightfold():
    chunks = Chunks(target_seconds=0.1)
    sizes = []
    for _ in range(6):
        steps = chunks.next(remaining=10_000)
        sizes.append(steps)
        chunks.took(steps, seconds=steps * 0.001)
    assert sizes == [1, 8, 64, 100, 100, 100]


def test_a_slow_step_is_a_chunk_of_its_own():
    chunks = Chunks(target_seconds=0.1)
    chunks.took(1, seconds=3.0)
    assert chunks.next(remaining=50) == 1


def test_a_chunk_never_passes_the_end():
    chunks = Chunks()
    chunks.took(8, seconds=0.0)
    assert chunks.next(remaining=3) == 3
