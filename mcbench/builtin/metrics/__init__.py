"""Built-in metrics: of the whole curve, of single points, of the saddle."""
