"""Keys for the tests, made once: an RSA key takes its time."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def _pems() -> tuple[bytes, bytes]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private, public


@pytest.fixture(scope="session")
def pair() -> tuple[bytes, bytes]:
    """Return a private and a public key, as PEM."""
    return _pems()


@pytest.fixture(scope="session")
def other_pair() -> tuple[bytes, bytes]:
    """Return another one."""
    return _pems()
