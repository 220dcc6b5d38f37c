"""The built-ins, written as plugins like any other: one module per hook."""
