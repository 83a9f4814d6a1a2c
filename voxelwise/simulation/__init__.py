"""The simulated recording: a visual cortex, its responses and their noise, the files, and what is true of them."""
