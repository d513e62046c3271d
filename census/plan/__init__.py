"""The responsibility plan 职责分解方案: its rows, their times, what they leave open, and what changed."""
