"""Figures, with matplotlib and plotly: one per file.

Their type is Any: plotly has no types, and both libraries are imported only to draw.
"""
