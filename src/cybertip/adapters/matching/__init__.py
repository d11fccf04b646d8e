"""Matchers: lists in a file of this machine, several matchers as one, and a sync one for async callers."""
