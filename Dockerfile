# rcpt in a container: `docker build -t rcpt .`, then `serve` (the default) or `worker`. See docs/cluster.md.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Install scripts only bring what tests and development need.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN node_modules/.bin/tsc -p tsconfig.build.json && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
COPY schema schema
# Where SQLite lives without DATABASE_URL; uploads of a cluster are in the database.
RUN mkdir /data && chown node:node /data
ENV RCPT_DATA_DIR=/data
USER node
EXPOSE 4000
# Ready is not alive: with the database away a process waits and mends itself. Orchestrators that know both probes
# take /health/live to restart and /health/ready to route.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.RCPT_PORT ?? 4000}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "--max-old-space-size=384", "dist/main.js"]
CMD ["serve"]
