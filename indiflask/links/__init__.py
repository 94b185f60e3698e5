"""The hub's ends that do IO."""
