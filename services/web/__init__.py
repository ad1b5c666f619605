"""The portal: pages for people, rendered on the server.

Owns nothing but the browser's cookies. What a page shows comes from `auth` and `catalog` over
HTTP, asked with the visitor's own short-lived access token; what a visitor may see is decided
there, never here. It has no database and no worker.

``clients`` speak to the peers, ``viewmodels`` turn their data into what a page says, ``pages``
load input, call a client and render a template.
"""
