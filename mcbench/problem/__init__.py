"""Problems (data, architecture and recipe) and endpoints, the networks trained on them."""
