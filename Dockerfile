# retail-datagen with what the services of docker-compose.yml need, run by nobody in particular.
#
#     docker compose build

FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv /opt/retail-datagen
ENV PATH=/opt/retail-datagen/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY tools/pin.py tools/
RUN python tools/pin.py select core build kafka clickhouse postgres store > pins.txt \
    && pip install --require-hashes --only-binary :all: -r pins.txt \
    # The embedded ClickHouse is half a gigabyte, and there is a server beside.
    && pip uninstall --yes chdb chdb-core
COPY src src
RUN pip install --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --uid 10001 --create-home retail && mkdir -p /app/data && chown retail /app/data
COPY --from=build /opt/retail-datagen /opt/retail-datagen
WORKDIR /app
# Others' commands and crontabs call these by their names here.
COPY producer/backfill_historical.py ./
COPY scripts scripts
COPY simulation simulation
ENV PATH=/opt/retail-datagen/bin:$PATH PYTHONUNBUFFERED=1
USER retail
VOLUME /app/data
CMD ["retail-datagen", "--help"]
