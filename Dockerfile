# One image for server and command line.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build
RUN npm prune --omit=dev --omit=optional --no-audit --no-fund

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="signet" org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY LICENSE ./
COPY certs certs
# Nothing is written below /app; what the server keeps lies in its state folder, a volume.
USER 65532:65532
VOLUME ["/var/lib/signet"]
EXPOSE 8443
# What a review leaves behind is garbage at once: a young generation that fits a processor's cache, collected by one thread, is
# the fastest; and the few threads that allocate beside V8 share two heaps (docs/decisions/0080-reviews-in-turns.md).
ENV MALLOC_ARENA_MAX=2
ENTRYPOINT ["node", "--min-semi-space-size=4", "--max-semi-space-size=4", "--no-parallel-scavenge", "--no-allocation-site-pretenuring", "/app/dist/bin/cli.js"]
CMD ["server", "--state", "/var/lib/signet", "--listen", "0.0.0.0:8443"]
