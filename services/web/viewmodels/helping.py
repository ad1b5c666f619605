"""What a registry has to be told to ask this installation for tokens and to tell it of pushes.

Source: distribution "Configuring a registry", ``auth.token`` and ``notifications``.
"""

from collections.abc import Mapping


def registry_configuration(origin: str, settings: Mapping[str, str]) -> str:
    """Return the part of the registry's configuration that concerns Portus, in YAML.

    Args:
        origin: where people reach this installation, such as ``https://portus.example.org``.
        settings: those of `auth` in force, by variable.
    """
    service = settings.get("PORTUS_REGISTRY_SERVICE", "portus-registry")
    issuer = settings.get("PORTUS_ISSUER", "portus")
    return f"""\
auth:
  token:
    realm: {origin}/v2/token
    service: {service}
    issuer: {issuer}
    rootcertbundle: /etc/docker/registry/portus-ca.crt
    signingalgorithms: [ES256, RS256]
notifications:
  endpoints:
    - name: portus
      url: {origin}/v2/webhooks/events
      headers:
        Authorization: [Bearer $PORTUS_NOTIFICATIONS_SECRET]
      timeout: 5s
      threshold: 5
      backoff: 5s
      ignore:
        mediatypes: [application/octet-stream]
storage:
  delete:
    enabled: true
"""
