"""The pairs of servers that are compared."""
