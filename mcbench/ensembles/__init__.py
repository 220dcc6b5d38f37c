"""Ensembles of networks, measured beside their cost."""
