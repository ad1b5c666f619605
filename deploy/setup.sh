#!/bin/sh
# Makes the secrets that nobody has to think up, the CA, and the registry's configuration, each once:
# what it finds it keeps. Docker Compose runs it in a container of auth's image before anything else;
# k8s/overlays/example/make-secrets runs it on an administrator's machine.
#
# Below $SECRETS each part of the installation gets a folder with what it needs and nothing more:
# portus (our services), postgres, rabbitmq, registry. $CA is for auth alone. From the environment:
# PORTUS_WEB_URL, PORTUS_REGISTRY_SERVICE, PORTUS_ADMIN_USERNAME; optionally ROOT, the folder that holds
# services/ (/app), and OWNER, the user whose the CA becomes.
set -eu
# Who may read what is settled by which folder a container is given, whatever user it runs as.
umask 022

here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python}

random() { "$python" -c 'import secrets; print(secrets.token_hex(24))'; }
made() { [ -s "$1" ] || random >"$1"; }

mkdir -p "$SECRETS/portus" "$SECRETS/postgres" "$SECRETS/rabbitmq" "$SECRETS/registry"
cd "$SECRETS"
[ -s portus/admin-password ] || new_password=yes
for name in internal service-account notifications web admin-password; do made "portus/$name"; done

made postgres/superuser
for name in auth catalog notifier; do
    made "postgres/$name"
    printf 'postgresql+psycopg://%s:%s@postgres/%s\n' "$name" "$(cat "postgres/$name")" "$name" \
        >"portus/$name-database-url"
done

# RabbitMQ reads every file of its folder as configuration, so the password is kept with ours.
made portus/broker-password
printf 'amqp://portus:%s@rabbitmq:5672/portus\n' "$(cat portus/broker-password)" >portus/broker-url
# A worker holds its messages while what they need is away; RabbitMQ would take them from it after half
# an hour and count that against them. A day, in milliseconds; see docs/operations.md.
cat >rabbitmq/50-portus.conf <<CONF
default_user = portus
default_pass = $(cat portus/broker-password)
default_vhost = portus
consumer_timeout = 86400000
log.console = true
log.file = false
CONF

(cd "${ROOT:-/app}" && PORTUS_CA_DIR=$CA "$python" -m services.auth init-ca)
[ -z "${OWNER:-}" ] || chown -R "$OWNER" "$CA"
# The first certificate only: the registry trusts whatever a certificate in this file signs, and the ones
# behind it, in a CA of your own, may sign much that is not for us.
sed '/^-----END CERTIFICATE-----/q' "$CA/ca.crt" >registry/ca.crt
made registry/http-secret
sed -e "s|@REALM@|$PORTUS_WEB_URL/v2/token|" \
    -e "s|@SERVICE@|$PORTUS_REGISTRY_SERVICE|" \
    -e "s|@NOTIFICATIONS_SECRET@|$(cat portus/notifications)|" \
    -e "s|@HTTP_SECRET@|$(cat registry/http-secret)|" \
    "$here/registry.yml" >registry/config.yml

if [ "${new_password:-}" ]; then
    echo "The administrator is '$PORTUS_ADMIN_USERNAME', the password (shown this once): $(cat portus/admin-password)"
fi
