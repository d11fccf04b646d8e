"""Durable filing: never lost, never twice, never half."""

from cybertip.courier.couriers import AsyncCourier, Courier
from cybertip.courier.handle import Handle

__all__ = ["AsyncCourier", "Courier", "Handle"]
