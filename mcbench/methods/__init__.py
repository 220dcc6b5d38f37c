"""Connection methods: protocols, composition of parts, layer-wise paths, least squares."""
