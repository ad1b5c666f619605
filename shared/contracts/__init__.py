"""The messages that services exchange. A published ``.v1`` never changes its meaning."""
