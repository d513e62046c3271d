"""Components handed out and taken back: other systems' columns, field teams' files."""
