# Sluice in a container: docker build -t sluice . && docker run -p 127.0.0.1:3000:3000 -v sluice:/data sluice
# NODE_IMAGE: any image with Node 20 and npm in /usr/local and a user "node". Suits the classic builder too.
ARG NODE_IMAGE=node:20-bookworm-slim

FROM ${NODE_IMAGE} AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 make g++ \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# No package may run a script of its own but the one that has to be compiled; Node's headers are in the image.
RUN npm ci --ignore-scripts && npm_config_nodedir=/usr/local npm rebuild better-sqlite3
COPY . .
RUN node scripts/generate.mjs \
 && NEXT_TELEMETRY_DISABLED=1 node_modules/.bin/next build \
 && mkdir -p /app \
 && cp -R .next/standalone/. /app/ \
 && cp -R .next/static /app/.next/static \
 && if [ -d public ]; then cp -R public /app/public; fi \
 && mkdir -p /data

FROM ${NODE_IMAGE}
# Repositories of backups are looked at by restic itself, over SSH too.
RUN apt-get update \
 && apt-get install -y --no-install-recommends restic openssh-client ca-certificates \
 && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production \
    NEXT_MANUAL_SIG_HANDLE=true \
    NEXT_TELEMETRY_DISABLED=1 \
    PORT=3000 \
    HOSTNAME=0.0.0.0 \
    SLUICE_DATA=/data \
    SLUICE_CONFIG=/etc/sluice/sluice.yaml
# The program belongs to root and is only read; what Sluice may write is its data.
COPY --from=build /app /app
COPY --from=build --chown=node:node /data /data
WORKDIR /app
USER node
VOLUME /data
EXPOSE 3000 3100
HEALTHCHECK --interval=10s --timeout=4s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/healthz', { signal: AbortSignal.timeout(3000) }).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "server.js"]
