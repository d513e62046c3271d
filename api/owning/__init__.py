"""The owning unit 责任单位: candidates in order, the one that serves, who else it may be, and how surely."""
