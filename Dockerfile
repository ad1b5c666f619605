# One image per service: docker build --build-arg SERVICE=auth --tag portus-auth .
#
# An image holds shared/ and one service with that service's pins, nothing else. It runs as an
# unprivileged user and needs no writable file system besides /tmp and, for the notifier's spool and
# the CA's folder, what is mounted on /var/lib/portus.
ARG PYTHON_IMAGE=python:3.12-slim

FROM ${PYTHON_IMAGE} AS packages
ARG SERVICE
COPY requirements/${SERVICE}.txt /requirements.txt
RUN python -m venv /opt/portus \
    && /opt/portus/bin/pip install --no-cache-dir --require-hashes --requirement /requirements.txt

FROM ${PYTHON_IMAGE}
ARG SERVICE
ENV PATH=/opt/portus/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SERVICE=${SERVICE} \
    PORTUS_BIND=0.0.0.0 \
    PORTUS_DATA_DIR=/var/lib/portus \
    PORTUS_WEB_PORT=8080 \
    PORTUS_AUTH_PORT=8081 \
    PORTUS_CATALOG_PORT=8082 \
    PORTUS_NOTIFIER_PORT=8083
# What `GET /api/version` tells: --build-arg GIT_TAG=…, or GIT_BRANCH and GIT_COMMIT.
ARG GIT_TAG="" GIT_BRANCH="" GIT_COMMIT=""
ENV PORTUS_GIT_TAG=${GIT_TAG} PORTUS_GIT_BRANCH=${GIT_BRANCH} PORTUS_GIT_COMMIT=${GIT_COMMIT}
WORKDIR /app
COPY --from=packages /opt/portus /opt/portus
COPY shared/ shared/
COPY services/__init__.py services/
COPY services/${SERVICE}/ services/${SERVICE}/
# A volume that is mounted over the data folder takes its owner from here.
RUN python -m compileall -q shared services \
    && useradd --system --uid 10001 --user-group --no-create-home portus \
    && install --directory --owner=portus --group=portus --mode=0700 /var/lib/portus
USER 10001:10001

# The serving process answers; a worker is told apart by the command that it is run with.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:%s/healthz' % os.environ['PORTUS_%s_PORT' % os.environ['SERVICE'].upper()], timeout=4)"]

# `exec` makes Python the first process, so that a stop reaches it.
ENTRYPOINT ["sh", "-c", "exec python -m \"services.$SERVICE\" \"$@\"", "portus"]
CMD ["serve"]
