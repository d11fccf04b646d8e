"""Hashes of media: digests of bytes, PDQ of pictures, and an exact search among many PDQ hashes.

Everything here computes and reads what it is given; nothing asks a list whether a hash is known: that is what
`cybertip.ports.matching` is for. Digests need nothing but Python; pictures and the index need the extra `[pdq]`, and numpy
and Pillow are imported when their modules are.
"""
