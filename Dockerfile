# One image for api, worker and migrate. The first stage installs, the second has no tool to install with.
FROM python:3.11-slim AS install
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/tabiji
ENV PATH=/opt/tabiji/bin:$PATH
WORKDIR /source
# Dependencies first: this layer is made again only when the lock changes. Each file's hash is checked.
COPY requirements-production.lock ./
RUN pip install --require-hashes --only-binary :all: -r requirements-production.lock
# The library, without the scaffold that `tabiji new` writes. The tools that build it stay in this stage.
COPY requirements-build.lock ./
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --only-binary :all: -r requirements-build.lock
COPY pyproject.toml README.md LICENSE hatch_build.py ./
COPY tabiji tabiji
RUN HATCH_BUILD_NO_HOOKS=true /opt/build/bin/python -m hatchling build -t wheel \
    && pip install --no-deps dist/*.whl \
    && pip uninstall --yes pip setuptools

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin tabiji
COPY --from=install /opt/tabiji /opt/tabiji
# Nothing is written at run time, so that the file system may be read-only.
ENV PATH=/opt/tabiji/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /app
COPY alembic.ini worker.py ./
COPY activities activities
COPY api api
COPY assets assets
COPY forms forms
COPY hooks hooks
COPY topics topics
COPY migrations migrations
COPY models models
COPY templates templates
COPY workflows workflows
RUN python -m compileall -q /app
USER 10001
EXPOSE 8000
# SIGTERM goes straight to the process: it is the one that finishes what it began.
ENTRYPOINT ["tabiji"]
CMD ["--help"]
