"""The one way out: requests to addresses that somebody configured, and the tokens they are made with."""

from tekil.outgoing.client import Outgoing
from tekil.outgoing.connections import Connections, HeldConnection
from tekil.outgoing.grants import Connection
from tekil.outgoing.webhook import SIGNATURE, Webhook

__all__ = ["SIGNATURE", "Connection", "Connections", "HeldConnection", "Outgoing", "Webhook"]
