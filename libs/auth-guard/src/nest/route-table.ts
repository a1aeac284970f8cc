import { Inject, Injectable } from '@nestjs/common';
import type { INestApplicationContext } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import type { Access } from '../access/access.js';
import { MODULE_OPTIONS_TOKEN } from './module-definition.js';
import type { AuthGuardOptions } from './options.js';
import type { FoundRoute } from './routes/declared.js';
import { graphqlRoutesIn } from './routes/graphql-routes.js';
import { HttpRoutes } from './routes/http-routes.js';
import { messageRoutesIn } from './routes/message-routes.js';
import { metadataRoute } from './routes/metadata-route.js';

/** One way into the application and who may take it. */
export interface Route {
  /** The class's name: a controller, a gateway or a resolver. */
  controller: string;
  /** The method's name. */
  handler: string;
  /**
   * `GET`, `POST`, …, or `ALL`. Beyond HTTP: `SOCKET` for a gateway's message, `MESSAGE` and `EVENT`
   * for a microservice's, `QUERY`, `MUTATION`, `SUBSCRIPTION`, `FIELD` and `REFERENCE` for GraphQL.
   */
  method: string;
  /** With prefixes and version, as it is served: `/v1/orders/:id`. Beyond HTTP, the name or pattern. */
  path: string;
  /** Who may take it. */
  access: Access;
  /** How old what is known of revocations may be, in seconds, where `@RequireFresh()` says so. */
  maxRevocationAge?: number;
}

/** Routes that do not say who may call them. The application does not start with one. */
export class UndeclaredAccessError extends Error {
  /** The class's name, which stays when code is made smaller. */
  override readonly name = 'UndeclaredAccessError';
}

/** Every way in: the routes of controllers, the messages of gateways and microservices, GraphQL. */
@Injectable()
export class RouteTable {
  private readonly http: HttpRoutes;

  constructor(
    private readonly modules: ModulesContainer,
    config: ApplicationConfig,
    @Inject(MODULE_OPTIONS_TOKEN) private readonly options: AuthGuardOptions,
  ) {
    this.http = new HttpRoutes(modules, config);
  }

  /** @throws {UndeclaredAccessError} naming every route that does not say who may call it */
  list(): Route[] {
    const found = this.find();
    const closed = found.filter(({ access }) => access === undefined);
    if (closed.length > 0) throw new UndeclaredAccessError(describeClosed(closed));
    return found.filter((route): route is Route => route.access !== undefined);
  }

  private find(): FoundRoute[] {
    const ofModules = [...this.modules.values()].flatMap((module) => [
      ...this.http.findIn(module),
      ...messageRoutesIn(module),
      ...graphqlRoutesIn(module, this.modules),
    ]);
    const metadata = metadataRoute(this.options);
    return metadata ? [...ofModules, metadata] : ofModules;
  }
}

/**
 * Every route of an application that uses the guard, with who may call it: for documentation, and for
 * a committed table that shows each change of access.
 *
 * @throws {UndeclaredAccessError} for an application that would not start either
 */
export function listRoutes(app: INestApplicationContext): Route[] {
  return app.get(RouteTable, { strict: false }).list();
}

function describeClosed(routes: readonly FoundRoute[]): string {
  const lines = routes.map(({ controller, handler, method, path, problem }) => {
    const reason = problem === undefined ? '' : `: ${problem}`;
    return `  ${controller}.${handler} (${method} ${path})${reason}`;
  });
  return [
    'The application does not start, because not every route says who may call it:',
    ...lines,
    'Put @Public(), @Authenticated(), @Roles(…) or @Scopes(…) on the method or its controller.',
  ].join('\n');
}
