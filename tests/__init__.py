"""The suite. Its folders mirror the package; `peers` starts the real programs that it is tried with."""
