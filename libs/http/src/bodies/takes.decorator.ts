import { RouteConfig } from '@nestjs/platform-fastify';

/** What a route reads: JSON unless it says otherwise. */
export type BodyKind = 'json' | 'form' | 'raw';

/** The media type that each kind of body must come as. */
export const MEDIA_TYPES: Record<BodyKind, string> = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  raw: 'application/json',
};

declare module 'fastify' {
  interface FastifyContextConfig {
    takes?: BodyKind;
  }
}

/** The route reads forms, as browsers send them, and nothing else: `@Body() form: unknown`. */
export function TakesForm(): MethodDecorator {
  return RouteConfig({ takes: 'form' });
}

/**
 * The route reads JSON as the bytes that came, of which it checks a signature before it trusts them to
 * a parser: `@RawBody() body: Buffer`, with Nest's own decorator. `@Body()` is undefined there, and so
 * is `@RawBody()` when nothing came.
 *
 * @example
 * ;@Post('webhooks/:provider')
 * ;@Public()
 * ;@TakesRawBody()
 * receive(@RawBody() body: Buffer | undefined, @Headers('signet-signature') signature?: string) {}
 */
export function TakesRawBody(): MethodDecorator {
  return RouteConfig({ takes: 'raw' });
}
