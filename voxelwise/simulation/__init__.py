"""The simulated recording: a visual cortex, its responses and their noise, the files, and what is true of them.

It knows nothing of how recordings are read; :mod:`voxelwise.data` reads it as any other.
"""
