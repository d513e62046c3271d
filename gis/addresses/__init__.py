"""Addresses 地址: their spelling and their parts."""
