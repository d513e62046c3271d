"""Names 地名: their generic parts and their romanisation."""
