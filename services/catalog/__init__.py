"""What is in the registry, and since when.

Owns repositories, tags, manifests and pulls: an index of the registry that follows its
notifications and was filled once by a crawl. It decides nothing about who may see what: ``auth``
answers that as data, which becomes a ``WHERE``. It never stores layers.
"""
