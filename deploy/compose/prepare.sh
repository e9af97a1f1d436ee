#!/bin/sh
# Makes what compose.yaml needs and no repository may hold: passwords, a certificate, directories.
#
# Called beside compose.yaml as `sh compose/prepare.sh`, by the user as whom all containers are to
# run. What is there is kept, so it may be called again. Who wants a certificate that browsers trust
# puts it, with its issuers, into secrets/certificate, and its key into secrets/certificate-key: it
# has to name `nats` and `postgres`, too.
set -eu
umask 077

if [ "$(id -u)" = 0 ]; then
    echo "prepare.sh: not as root, PostgreSQL refuses that: call it as the user the containers are to run as" >&2
    exit 1
fi

random() {
    od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}

# File by file, and each by a rename, so that half of one is never taken for the whole.
make() {
    [ -e "$1" ] || { cat >"$1.new" && mv "$1.new" "$1"; }
}

mkdir -p secrets/keys data/nats data/postgres

for role in fernamt_owner fernamt_services fernamt_auditor; do
    echo "postgres:5432:fernamt:$role:$(random 24)" | make "secrets/$role.pgpass"
done
random 24 | make secrets/postgres-password
random 32 | make secrets/seal-key
echo "FERNAMT_CONSOLE_TOKEN=$(random 24)" | make secrets/console.env
make secrets/notifier.env <<'END'
# FERNAMT_SMTP_URL=smtp://USER:PASSWORD@HOST:587
# FERNAMT_MAIL_FROM=Fernamt <chat@example.org>
END

if [ ! -e secrets/certificate ]; then
    openssl req -x509 -newkey rsa:2048 -nodes -days 825 -subj /CN=fernamt \
        -addext "subjectAltName=DNS:nats,DNS:postgres,DNS:localhost,IP:127.0.0.1" \
        -keyout secrets/certificate-key -out secrets/certificate
fi

make .env <<END
FERNAMT_USER=$(id -u):$(id -g)
END
