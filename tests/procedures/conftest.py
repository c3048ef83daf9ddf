"""What several tests of procedures call."""

import pytest


@pytest.fixture
def predict(folder, mltrain):
    """Run `mltrain predict` in the test's own folder of runs; return what it says where another code is expected."""

    def call(*arguments, code=0):
        done = mltrain("predict", *arguments)
        assert done.code == code, done.err
        return done.err if code else done

    return call
