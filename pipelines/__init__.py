"""Deliveries in, six foundational databases out."""
