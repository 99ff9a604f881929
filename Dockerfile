# One image for `fairway worker` and every other command: neither compiler nor tests nor servers of its own in it.
FROM python:3.12-slim AS build
WORKDIR /source
COPY requirements-production.lock requirements-build.lock ./
RUN python -m venv /opt/fairway \
    && /opt/fairway/bin/pip install --no-cache-dir --require-hashes --requirement requirements-production.lock \
    && pip install --no-cache-dir --require-hashes --requirement requirements-build.lock
COPY pyproject.toml README.md LICENSE topics.yaml ./
COPY examples examples
COPY models models
COPY streams streams
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheel . \
    && /opt/fairway/bin/pip install --no-cache-dir --no-deps /wheel/*.whl \
    && /opt/fairway/bin/pip uninstall --yes pip

FROM python:3.12-slim
# The number, not the name, is what Kubernetes compares with runAsNonRoot.
RUN useradd --system --uid 10001 fairway && install --directory --owner fairway --group fairway /var/lib/fairway
COPY --from=build /opt/fairway /opt/fairway
COPY topics.yaml /etc/fairway/topics.yaml
ENV PATH=/opt/fairway/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FAIRWAY_DATA_DIR=/var/lib/fairway \
    FAIRWAY_TOPICS_FILE=/etc/fairway/topics.yaml \
    FAIRWAY_LOG_FORMAT=json
# All that is written lies here, so that the rest may be read-only.
VOLUME /var/lib/fairway
WORKDIR /var/lib/fairway
USER 10001
# SIGTERM ends a worker in order, within 15 seconds; give it 60.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:6066/livez', timeout=4)"]
ENTRYPOINT ["fairway"]
CMD ["worker"]
