"""Promises about the tree itself: style, layering, documentation, images, manifests."""
