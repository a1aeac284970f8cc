# One image per service: docker build --build-arg APP=orders .
ARG NODE_IMAGE=node:24-bookworm-slim

# What every stage installs from: the manifests alone, so that a change of code reuses the packages.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /signet
COPY package.json package-lock.json ./
COPY apps/auth/package.json apps/auth/
COPY apps/inventory/package.json apps/inventory/
COPY apps/orders/package.json apps/orders/
COPY apps/payments/package.json apps/payments/
COPY libs/auth-guard/package.json libs/auth-guard/
COPY libs/database/package.json libs/database/
COPY libs/http/package.json libs/http/
COPY launcher/package.json launcher/
COPY e2e/package.json e2e/
COPY bench/package.json bench/

FROM manifests AS build
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.base.json ./
COPY libs libs
ARG APP
COPY apps/${APP} apps/${APP}
RUN node node_modules/typescript7/bin/tsc -b apps/${APP}/tsconfig.build.json

FROM manifests AS production
ARG APP
# TypeScript is an optional peer of the OpenAPI package, which npm keeps and nothing loads.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund --workspace=apps/${APP} \
  && rm -rf node_modules/typescript
COPY --from=build /signet/libs/auth-guard/dist libs/auth-guard/dist
COPY --from=build /signet/libs/database/dist libs/database/dist
COPY --from=build /signet/libs/http/dist libs/http/dist
COPY --from=build /signet/apps/${APP}/dist apps/${APP}/dist
COPY apps/${APP}/migrations apps/${APP}/migrations

FROM ${NODE_IMAGE}
ARG APP
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
# The only place a service writes to: its snapshot of the issuer's public keys.
RUN mkdir /var/lib/signet && chown node:node /var/lib/signet
COPY --from=production /signet/node_modules /signet/node_modules
COPY --from=production /signet/libs /signet/libs
COPY --from=production /signet/apps/${APP} /signet/apps/${APP}
USER node
WORKDIR /signet/apps/${APP}
EXPOSE 3000
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=6 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/main.js"]
