"""Requests to a platform's own endpoints, as values: how they are signed and verified, and which addresses they may go to.

Nothing here sends.
"""
