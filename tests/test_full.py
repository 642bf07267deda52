"""Train every tutorial as the chapter does, on the real MNIST: `pytest -m full`.

Without MNIST (in Keras' cache, or named by MNIST_NPZ) these tests fail.
"""

import measure
import pytest
import test_claims
from conftest import TRAINING

# How far a result may lie outside the recorded range: other machines and versions compute a little
# differently, which is like another seed.
MARGINS = {"01": 0.5, "02": 0.15, "03": 0.01, "04": 0.003, "04-book": 0.005, "05": 0.15}


@pytest.mark.full
@pytest.mark.parametrize("name", MARGINS)
def test_result_is_within_the_recorded_range(name):
    key = "loss" if name == "01" else "accuracy"
    recorded = test_claims.figures(name, key)
    result = measure.run(measure.VARIANTS[name], 100, TRAINING)[key]
    assert min(recorded) - MARGINS[name] <= result <= max(recorded) + MARGINS[name]
