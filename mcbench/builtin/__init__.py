"""Built-in components, written as plugins like any other."""
