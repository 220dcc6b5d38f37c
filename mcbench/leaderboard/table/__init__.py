"""From entries and stored records to the tables of a board."""
