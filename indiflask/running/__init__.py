"""An app while it runs: requests in, handlers called, frames out. What a user writes is in the modules above."""
