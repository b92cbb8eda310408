# The program, what it needs of a system, and the repo in examples/feature_repo with the settings of docker/. Nothing else:
# there is no shell, and nobody can become root. The repo is meant to be replaced: mount yours at /repo.

# Where the program comes from: built here, or from an image that has it at /out (--build-arg PROGRAM=IMAGE).
ARG PROGRAM=build

FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends cmake
WORKDIR /src
COPY . .
RUN cargo build --locked --release && docker/rootfs.sh target/release/feastr /out

FROM ${PROGRAM} AS program

FROM scratch
COPY --from=program /out/ /
COPY --chown=10001:10001 examples/feature_repo /repo
COPY docker/feature_store.yaml /repo/feature_store.yaml
USER 10001:10001
WORKDIR /repo
ENTRYPOINT ["/feastr"]
CMD ["--help"]
