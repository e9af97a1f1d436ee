# One image for every service: `docker build -t fernamt .`, then `docker run fernamt run router`.
#
# Packages come from the lock with hashes, as wheels alone; Fernamt itself as the wheel that
# pyproject.toml describes. What builds it stays behind in the first stage. For builds that are the
# same next year, give the base by its digest: --build-arg PYTHON=python@sha256:...
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
# `otel` has what traces take, too.
ARG LOCK=run
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /build

# The locked packages first: a change of the code alone does not fetch them again.
COPY requirements/ requirements/
RUN python -m venv --without-pip /opt/fernamt \
    && python -m pip --python /opt/fernamt/bin/python install \
        --require-hashes --only-binary :all: -r requirements/${LOCK}.txt \
    && sed -n '/^setuptools==/,/^ *#/p' requirements/dev.txt > backend.txt \
    && python -m pip install --require-hashes --only-binary :all: -r backend.txt

COPY . .
RUN python -m pip wheel --no-deps --no-index --no-build-isolation --wheel-dir dist . \
    && python -m pip --python /opt/fernamt/bin/python install --no-deps --no-index dist/*.whl


FROM ${PYTHON}
LABEL org.opencontainers.image.title="Fernamt" \
      org.opencontainers.image.description="Decides which operator gets which chat conversation, and writes down why" \
      org.opencontainers.image.licenses="Apache-2.0"

COPY --from=build /opt/fernamt /opt/fernamt

# Health and metrics are for whoever looks after the container, who asks from outside of it.
# Nothing is ever written beside the code, so the root file system may be read-only.
ENV PATH=/opt/fernamt/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    FERNAMT_HEALTH_HOST=0.0.0.0 \
    FERNAMT_HEALTH_PORT=8480
EXPOSE 8480

# By number, so that a cluster can see that it is not root.
USER 10001:10001
WORKDIR /

# Whether the process's loop turns, as for Kubernetes, which has probes of its own in place of this.
# What is wrong with database or broker mends itself, and no restart does: that is /readyz.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-I", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"FERNAMT_HEALTH_PORT\"]}/livez', timeout=4)"]

ENTRYPOINT ["fernamt"]
CMD ["--help"]
