"""The four services. Each owns its data and its image; none imports another."""
