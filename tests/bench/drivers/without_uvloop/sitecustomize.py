"""On PYTHONPATH, this makes a Python and its children do without uvloop: an import of it fails, it is not found."""

import sys

sys.modules["uvloop"] = None  # type: ignore[assignment]  # what the import system documents for "not there"
