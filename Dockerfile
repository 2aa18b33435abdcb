# The image of rowhook: one binary, run by a user without rights.
#
#   docker build -t rowhook .
#   docker run -p 8080:8080 -v rowhook:/data -e ROWHOOK_SAMPLE=true rowhook
#
# compose.yaml runs it with PostgreSQL and a receiver.

# Node.js builds the console, and is in no other layer.
FROM node:22.23.2-bookworm-slim AS node

# The builder and the runtime are of the same Debian release: the binary is linked to the builder's glibc.
FROM rust:1.95.0-slim-bookworm AS builder
# SQLite and ring are compiled from C; the compiler comes with the image.
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
WORKDIR /build
COPY . .
# The caches stay on the machine that builds, so a second build compiles what changed. The binary is taken
# out of the target cache within the same step, since a cache is not part of any layer.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    --mount=type=cache,target=/root/.npm \
    ROWHOOK_CONSOLE=required cargo build --release --locked --bin rowhook \
    && install -D -m 0755 target/release/rowhook /out/rowhook \
    && install -d -m 0750 /out/owned/data \
    # A build that found the console in its cache has not installed the packages whose licences are asked for.
    && { [ -d console/web/node_modules ] || npm --prefix console/web ci --omit=dev --no-audit --no-fund; } \
    && node packaging/licenses.mjs /out/THIRD-PARTY-LICENSES.txt

# Debian slim rather than distroless: a little larger, but with a shell and apt for whoever has to look inside a
# running container. rowhook itself needs glibc, which is here, and certificate authorities, which the builder has.
# Nothing is installed here or there: what is in the image is what the tags above and the lock files say.
FROM debian:12.12-slim AS runtime
COPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=builder /out/rowhook /usr/local/bin/rowhook
COPY --from=builder /out/THIRD-PARTY-LICENSES.txt /usr/share/doc/rowhook/THIRD-PARTY-LICENSES.txt
COPY LICENSE /usr/share/doc/rowhook/LICENSE
# /data, within another folder, since COPY takes over what is in a folder and not the folder's own mode. A numeric
# owner: Kubernetes' runAsNonRoot can not check a name. A new named volume takes over the folder's owner and mode; a
# bind mount must be made writable for 10001 by whoever mounts it.
COPY --from=builder --chown=10001:10001 /out/owned /
USER 10001:10001
WORKDIR /data

# In a container 127.0.0.1 is reached by nobody else.
ENV ROWHOOK_LISTEN=0.0.0.0:8080
# The working directory: rowhook.toml is read here, and the embedded database made, if no other is named. Beside it
# is the file of the key that its secrets are encrypted with: keep and restore both together.
VOLUME ["/data"]
EXPOSE 8080

# SIGTERM ends it in order: what is in flight is finished and written down, which takes at most 20 s. Docker
# kills after 10, so `docker stop -t 30`; a kill loses nothing either, but may deliver an event twice.
STOPSIGNAL SIGTERM
# It asks for life, not for readiness: a container whose database is away is not mended by a restart.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["rowhook", "healthcheck"]

LABEL org.opencontainers.image.title="rowhook" \
      org.opencontainers.image.description="Turns committed database changes into signed webhooks" \
      org.opencontainers.image.licenses="Apache-2.0"

ENTRYPOINT ["rowhook"]
CMD ["serve"]
