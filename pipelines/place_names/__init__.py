"""Place names 地名."""
