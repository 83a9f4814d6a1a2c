"""Models of one voxel, fitted to all voxels at once: ridge, lasso fields and population receptive fields."""
