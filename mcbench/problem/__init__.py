"""What a pair of endpoints is drawn from: data, architecture and recipe."""
