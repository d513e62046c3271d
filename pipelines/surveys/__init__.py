"""Component surveys 普查 as whole deliveries: taken in, judged, reported, merged, handed out."""
