"""Figures of regions draw what they are given."""

import numpy as np
import pandas as pd

from voxelwise import plotting


def test_regions_of_one_name_share_a_place():
    left = pd.DataFrame({"score": [0.1, 0.2], "size": [1.0, np.nan]}, index=["V1", "V2"])
    right = pd.DataFrame({"score": [0.3, 0.4], "size": [2.0, 3.0]}, index=["V2", "V3"])
    axes = plotting.plot_regions({"left": left, "right": right}, ["score", "size"]).axes
    assert [ax.get_ylabel() for ax in axes] == ["score", "size"]
    np.testing.assert_array_equal(axes[0].lines[0].get_xydata(), [(0, 0.1), (1, 0.2)])
    np.testing.assert_array_equal(axes[1].lines[1].get_xydata(), [(1, 2.0), (2, 3.0)])
    assert [label.get_text() for label in axes[1].get_xticklabels()] == ["V1", "V2", "V3"]
    assert axes[0].get_ylim()[0] <= 0
