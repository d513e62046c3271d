"""The geocoding database 地理编码: addresses and the places other databases name."""
