from mltrain.training.chunks import Chunks


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
