# Editor, then binary, then an image that holds only the binary and runs as nobody in particular.
FROM node:24-bookworm-slim AS editor
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
COPY nodes/ ../nodes/
RUN npm run build

FROM rust:1.95-bookworm AS binary
WORKDIR /src
COPY . .
COPY --from=editor /src/web/dist web/dist
# The editor is built already, and this stage has no npm.
RUN FLOWRILL_SKIP_WEB=1 cargo build --locked --profile dist --bin flowrill && mkdir -p /data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=binary /src/target/dist/flowrill /usr/local/bin/flowrill
COPY --from=binary --chown=nonroot:nonroot /data /data
VOLUME /data
EXPOSE 1880 1883
# Inside the container it listens on all addresses, and there is no login yet: publish the ports to 127.0.0.1 only,
#   docker run -p 127.0.0.1:1880:1880 -p 127.0.0.1:1883:1883 -v flowrill:/data flowrill
ENTRYPOINT ["/usr/local/bin/flowrill", "run", "--data", "/data", "--http", "0.0.0.0:1880", "--mqtt", "0.0.0.0:1883", "--auth", "none"]
