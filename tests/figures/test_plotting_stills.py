"""The still pictures of the map to explore: what stands in them, and where."""

import nibabel
import numpy as np
import pytest

from voxelwise.plotting.stills import plot_explored, plot_planes

pytestmark = pytest.mark.usefixtures("off_screen")


@pytest.mark.parametrize("x_sign", [1, -1], ids=["left first", "right first"])
def test_the_lines_cross_on_the_voxel_in_each_plane(x_sign):
    affine = np.diag([3.0 * x_sign, 2.0, 2.5, 1.0])
    affine[:3, 3] = -10 * x_sign, -12, -6
    position = (1, 7, 2)
    volume = np.zeros((8, 9, 5), dtype=np.float32)
    volume[position] = 0.5
    figure = plot_planes(nibabel.Nifti1Image(volume, affine), None, position)
    place = np.array(position if x_sign > 0 else (6, 7, 2))  # from left to right
    planes = [ax for ax in figure.axes if len(ax.lines) == 2]
    for ax, axes in zip(planes, [(1, 2), (0, 2), (0, 1)], strict=True):
        ((row, column),) = np.argwhere(~np.ma.getmaskarray(ax.images[-1].get_array()))
        upright, level = ax.lines
        assert (column, row) == tuple(place[list(axes)])
        assert set(upright.get_xdata()) == {column} and set(level.get_ydata()) == {row}
        assert ax.get_ylim()[0] < ax.get_ylim()[1], "up is up"
    millimetres = nibabel.affines.apply_affine(affine, position)
    expected = [f"{name} = {value:g} mm" for name, value in zip("xyz", millimetres, strict=True)]
    assert [text.get_text() for text in figure.texts] == expected


def test_the_field_beside_the_map_is_that_of_the_voxel():
    field = np.arange(-20.0, 15).reshape(5, 7)
    image = nibabel.Nifti1Image(np.full((8, 9, 5), 0.5, np.float32), np.eye(4))
    figure = plot_explored(image, None, [(3, 3, 2)], field, 25.0)
    (ax,) = [ax for ax in figure.axes if ax.get_title() == "What voxel A sees"]
    np.testing.assert_array_equal(ax.images[0].get_array(), field)
    assert ax.images[0].get_clim() == (-25, 25)
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "the first row is on top"
