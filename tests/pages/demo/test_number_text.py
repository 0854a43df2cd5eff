import math

import pytest

from semgjax.pages.demo.number_text import data_size, difference, digits, duration, percent, ratio, whole


@pytest.mark.parametrize("show", [whole, percent, digits, data_size, duration])
@pytest.mark.parametrize("value", [None, math.nan, math.inf, "12"])
def test_what_is_no_finite_number_is_a_dash(show, value):
    assert show(value) == "-"


@pytest.mark.parametrize(
    ("show", "value", "expected"),
    [
        (whole, 1_234_567, "1,234,567"),
        (percent, 0, "0.0 %"),
        (percent, 17.349, "17.3 %"),
        (digits, 0, "0"),
        (digits, 0.12345, "0.123"),
        (digits, 99.94, "99.9"),
        (digits, 99.96, "100"),
        (digits, 12_345, "12,345"),
        (digits, -4.56e-7, "-4.56 × 10⁻⁷"),
        (digits, 3.2e12, "3.20 × 10¹²"),
        (data_size, 999, "999 B"),
        (data_size, 999_600, "1 MB"),
        (data_size, 2_123_456, "2.12 MB"),
        (duration, 0.04, "0.0 s"),
        (duration, 9.96, "10 s"),
        (duration, 59.6, "1 min 0 s"),
        (duration, 134.2, "2 min 14 s"),
        (duration, 3599.7, "1 h 0 min"),
        (duration, 7290, "2 h 2 min"),
    ],
)
def test_numbers_have_few_digits_and_a_unit(show, value, expected):
    assert show(value).replace("\u00a0", " ") == expected


def test_what_is_computed_from_a_missing_number_is_missing():
    assert difference(None, 1.0) is None and difference(2.0, math.nan) is None
    assert ratio(1.0, 0) is None and ratio(None, 2.0) is None
    assert (difference(3.0, 1.0), ratio(3.0, 2.0)) == (2.0, 1.5)
