#!/bin/sh
# Runs once in a container of auth's image, before anything else: makes the secrets that nobody has to
# think up, the CA, and the registry's configuration. Finds everything again at the next start.
#
# Each part of the installation gets a volume with what it needs and nothing more: /secrets/portus (our
# services), /secrets/postgres, /secrets/rabbitmq, /secrets/registry; and /ca, which only auth sees.
set -eu
# The volume is the boundary: who mounts one may read it, whatever user it runs as.
umask 022

random() { python -c 'import secrets; print(secrets.token_hex(24))'; }
made() { [ -s "$1" ] || random >"$1"; }

cd /secrets/portus
for name in internal service-account notifications web admin-password; do
    [ "$name" != admin-password ] || [ -s "$name" ] || new_password=yes
    made "$name"
done

for name in auth catalog notifier; do
    made "/secrets/postgres/$name"
    printf 'postgresql+psycopg://%s:%s@postgres/%s\n' "$name" "$(cat "/secrets/postgres/$name")" "$name" >"$name-database-url"
done
made /secrets/postgres/superuser

[ -s broker-url ] || {
    password=$(random)
    printf 'amqp://portus:%s@rabbitmq:5672/portus\n' "$password" >broker-url
    printf '%s\n' 'default_user = portus' "default_pass = $password" 'default_vhost = portus' 'log.console = true' \
        >/secrets/rabbitmq/50-portus.conf
}

python -m services.auth init-ca
chown -R 10001:10001 /ca
cp /ca/ca.crt /secrets/registry/ca.crt
made /secrets/registry/http-secret
sed -e "s|@REALM@|$PORTUS_WEB_URL/v2/token|" \
    -e "s|@SERVICE@|$PORTUS_REGISTRY_SERVICE|" \
    -e "s|@NOTIFICATIONS_SECRET@|$(cat notifications)|" \
    -e "s|@HTTP_SECRET@|$(cat /secrets/registry/http-secret)|" \
    /setup/registry.yml >/secrets/registry/config.yml

if [ "${new_password:-}" ]; then
    echo "The administrator is '$PORTUS_ADMIN_USERNAME', the password (shown this once): $(cat admin-password)"
fi
