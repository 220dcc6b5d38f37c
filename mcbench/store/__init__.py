"""What is kept on disk, where it came from and what it cost."""
