import numpy as np

from mltrain.training.order import epoch_order


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
