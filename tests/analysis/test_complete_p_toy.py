"""CompleteP's toy at small depths: flat with alpha 1, falling as 1 / sqrt(depth) with alpha 1/2."""

import numpy as np

from analysis.complete_p_toy import PUBLISHED, Options, medians

OPTIONS = Options((2, 8, 32), 9)


def test_with_alpha_1_the_ratio_does_not_depend_on_the_depth():
    found = np.array(medians(OPTIONS, 1.0))
    published = np.array([PUBLISHED[1.0][place] for place in (0, 2, 4)])
    assert (np.abs(found / published - 1.0) < 0.15).all()  # nine seeds scatter by 6 %


def test_with_alpha_one_half_it_falls_with_the_root_of_the_depth():
    found = np.array(medians(OPTIONS, 0.5))
    slope = np.polyfit(np.log(OPTIONS.depths), np.log(found), 1)[0]
    assert abs(slope + 0.5) < 0.06
