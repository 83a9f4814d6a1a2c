"""How far to trust a score: on held-out runs, against chance, against the noise, and for other stimuli."""
