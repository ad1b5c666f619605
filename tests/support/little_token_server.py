"""A token server as small as can be, and what a registry needs to trust it.

Source: distribution "Token Authentication Specification"; tokens as a registry of any version takes
them: ES256, an ``x5c`` leaf under a CA in ``rootcertbundle``.
"""

import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask, Response, jsonify, request


class Signer:
    """A CA of its own and a leaf below it."""

    def __init__(self) -> None:
        self._ca_key = ec.generate_private_key(ec.SECP256R1())
        self._ca = _certificate("CA", self._ca_key.public_key(), "CA", self._ca_key, is_ca=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._leaf = _certificate("leaf", self._key.public_key(), "CA", self._ca_key, is_ca=False)

    def sign(self, claims: dict[str, Any]) -> str:
        """Return a token."""
        leaf = b64encode(self._leaf.public_bytes(serialization.Encoding.DER)).decode()
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"x5c": [leaf]})

    def write_ca(self, path: Path) -> Path:
        """Write the registry's ``rootcertbundle``."""
        path.write_bytes(self._ca.public_bytes(serialization.Encoding.PEM))
        return path


@dataclass
class TokenServer:
    """Grants what is asked for to whoever knows the one password, and takes notes."""

    signer: Signer
    password: str
    service: str
    issuer: str = "portus"
    expires_in_s: int = 300
    withheld: str | None = None
    """An action that nobody is granted."""
    asked: list[dict[str, Any]] = field(default_factory=list)

    def app(self) -> Flask:
        """Return the server's application."""
        app = Flask("token-server")
        app.add_url_rule("/v2/token", view_func=self._answer)
        return app

    def registry_config(self, realm: str, bundle: Path) -> dict[str, Any]:
        """Return the ``auth`` part of a registry's configuration that trusts this server."""
        token = {
            "realm": realm,
            "service": self.service,
            "issuer": self.issuer,
            "rootcertbundle": str(self.signer.write_ca(bundle)),
        }
        return {"auth": {"token": token}}

    def token(self, scope: str) -> str:
        """Return a token for a scope."""
        return self.token_for([scope])

    def token_for(self, scopes: Sequence[str]) -> str:
        """Return a token for several scopes."""
        now = int(time.time())
        access = [self._access(scope) for scope in scopes]
        claims = {"iss": self.issuer, "sub": "portus", "aud": self.service, "access": access}
        ends = {"iat": now, "nbf": now - 5, "exp": now + self.expires_in_s}
        return self.signer.sign(claims | ends | {"jti": " ".join(scopes)})

    def _access(self, scope: str) -> dict[str, Any]:
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        return {"type": kind, "name": name, "actions": [one for one in actions.split(",") if one != self.withheld]}

    def _answer(self) -> Response | tuple[Response, int]:
        given = request.authorization
        self.asked.append({"user": given and given.username, **request.args.to_dict()})
        if given is None or given.password != self.password:
            return jsonify(errors=[{"code": "UNAUTHORIZED", "message": "no"}]), 401
        return jsonify(token=self.token(request.args["scope"]), expires_in=self.expires_in_s)


def _certificate(
    name: str, key: ec.EllipticCurvePublicKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey, *, is_ca: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=0 if is_ca else None), critical=True)
    )
    return builder.sign(issuer_key, hashes.SHA256())
