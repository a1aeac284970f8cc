export { TakesForm, TakesRawBody } from './bodies/takes.decorator.js';
export { ConfigError, readConfig, serviceVariables } from './config.js';
export type { ServiceConfig } from './config.js';
export { Readiness } from './health.module.js';
export type { ReadinessCheck } from './health.module.js';
export { Metrics, MetricsModule } from './metrics.module.js';
export { money } from './money.js';
export type { Money } from './money.js';
export {
  formatOnBehalfOf,
  ON_BEHALF_OF_HEADER,
  onBehalfOf,
  OnBehalfOf,
  parseOnBehalfOf,
} from './on-behalf-of/on-behalf-of.js';
export type { RepresentedUser } from './on-behalf-of/on-behalf-of.js';
export { decodeCursor, pageOf, pageQuery, toPage, wholeNumber } from './paging.js';
export type { Page } from './paging.js';
export { paymentMethod } from './payment-method.js';
export { assertMatches, entityTag } from './preconditions/entity-tags.js';
export type { VersionList } from './preconditions/entity-tags.js';
export { IfMatch } from './preconditions/if-match.decorator.js';
export { Versioned } from './preconditions/versioned.decorator.js';
export type { VersionedAnswer } from './preconditions/versioned.decorator.js';
export { notFound, Problem } from './problem.js';
export type { ProblemDetails, ProblemOptions } from './problem.js';
export { refusePlainHttp } from './plain-http.js';
export { guardOptions, resourceServerVariables } from './resource-server.js';
export { Returns } from './returns.decorator.js';
export { createService, startService } from './service.js';
export type { ServiceOptions } from './service.js';
export { plainText } from './text.js';
