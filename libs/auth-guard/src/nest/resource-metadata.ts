import { HttpStatus, Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { metadataDocument } from '../resource-metadata/document.js';
import { MODULE_OPTIONS_TOKEN } from './module-definition.js';
import type { AuthGuardOptions } from './options.js';
import { RouteTable } from './route-table.js';
import { metadataRoute } from './routes/metadata-route.js';

/** It changes with a deployment, and a client looks at it when it is refused. */
const CACHE_CONTROL = 'public, max-age=3600';

/**
 * Answers with the service's metadata (RFC 9728). A route of the adapter's own rather than a controller's:
 * the path is fixed at the root of the host, whatever prefix, version or module path the application has.
 */
@Injectable()
export class ResourceMetadata {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly routes: RouteTable,
    @Inject(MODULE_OPTIONS_TOKEN) private readonly options: AuthGuardOptions,
  ) {}

  /** To be called before the routes of controllers are, so that no wildcard of theirs stands before it. */
  mount(): void {
    const { resourceMetadata, issuer, otherIssuers = [], dpop } = this.options;
    const route = metadataRoute(this.options);
    if (typeof resourceMetadata !== 'object' || !route) return;
    const { httpAdapter } = this.host;
    const issuers = [issuer, ...otherIssuers.map((other) => other.issuer)];
    httpAdapter.get(route.path, (_request: unknown, response: unknown) => {
      const accesses = this.routes.list().map(({ access }) => access);
      httpAdapter.setHeader(response, 'Cache-Control', CACHE_CONTROL);
      const document = metadataDocument(resourceMetadata, { issuers, dpop, accesses });
      httpAdapter.reply(response, document, HttpStatus.OK);
    });
  }
}
