"""The revisions, one file each, named by number and what they make."""
