#!/bin/sh
# Runs once inside PostgreSQL's container, on an empty data folder: one database per service, each with
# an owner who can reach no other.
set -eu
for name in auth catalog notifier; do
    password=$(cat "/run/secrets-of-postgres/$name")
    psql --quiet --set ON_ERROR_STOP=1 --username postgres <<SQL
CREATE ROLE $name LOGIN PASSWORD '$password';
CREATE DATABASE $name OWNER $name ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE $name FROM PUBLIC;
SQL
done
