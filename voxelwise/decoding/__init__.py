"""From responses back to stimuli: which one it was, and what it looked like."""
