"""From files to matrices: where a recording lies, what its files hold, and the samples that models are fitted to."""
