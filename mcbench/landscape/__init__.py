"""The loss on planes through networks."""
