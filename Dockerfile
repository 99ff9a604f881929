# One image for `fairway worker` and every other command.
FROM python:3.12-slim

WORKDIR /app
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md topics.yaml ./
COPY models models
COPY streams streams
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

RUN useradd --system fairway && install --directory --owner fairway /var/lib/fairway
USER fairway
ENV FAIRWAY_DATA_DIR=/var/lib/fairway FAIRWAY_LOG_FORMAT=json
VOLUME /var/lib/fairway
ENTRYPOINT ["fairway"]
CMD ["worker"]
