"""The parabola through three points, whatever their order and spacing."""

import pytest

from semgjax.scaling.parabola import parabola


@pytest.mark.parametrize("x", [(0.0, 1.0, 3.0), (3.0, 0.0, 1.0), (-8.0, -7.5, 2.0)])
def test_vertex_and_curvature_are_those_of_the_parabola_that_made_the_points(x):
    found = parabola(x, [0.7 * (v - 1.3) ** 2 + 5.0 for v in x])
    assert found.vertex == pytest.approx(1.3) and found.curvature == pytest.approx(1.4)


@pytest.mark.parametrize("y", [(0.0, 1.0, 0.0), (1.0, 2.0, 3.0), (1.0, 1.0, 1.0)])
def test_a_line_and_a_hill_have_no_vertex(y):
    found = parabola((0.0, 1.0, 2.0), y)
    assert found.vertex is None and found.curvature <= 0.0
