import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { TestRevocationFeed } from '@signet/auth-guard/testing';
import type { TestIssuer } from '@signet/auth-guard/testing';
import { createService } from '@signet/http';
import type { ServiceOptions } from '@signet/http';
import { randomUUID } from 'node:crypto';
import { createTestDatabase } from './test-database.js';

export interface TestRequest {
  /** Access token to send; none by default. */
  token?: string;
  body?: unknown;
  /** A new one for each POST by default; null sends none. */
  idempotencyKey?: string | null;
}

/** A service in this process, with a database and an issuer of its own. */
export interface TestService {
  app: NestFastifyApplication;
  databaseUrl: string;
  /** What the issuer revokes. */
  revocations: TestRevocationFeed;
  get(url: string, token?: string): ReturnType<NestFastifyApplication['inject']>;
  send(
    method: 'POST' | 'PATCH' | 'PUT' | 'DELETE',
    url: string,
    request?: TestRequest,
  ): ReturnType<NestFastifyApplication['inject']>;
  close(): Promise<void>;
}

/**
 * Starts a service on an empty database, believing `issuer`.
 *
 * @param describe what its `main.ts` does with the environment
 */
export async function startTestService(
  issuer: TestIssuer,
  describe: (environment: NodeJS.ProcessEnv) => ServiceOptions,
): Promise<TestService> {
  const database = await createTestDatabase();
  const jwks = await issuer.serve();
  const revocations = new TestRevocationFeed(issuer);
  const app = await createService(
    describe({
      DATABASE_URL: database.url,
      SIGNET_ISSUER: issuer.issuer,
      SIGNET_JWKS_URI: jwks.jwksUri,
      SIGNET_REVOCATIONS_URL: await revocations.serve(),
      LOG_LEVEL: 'silent',
    }),
  );
  await app.init();
  return {
    app,
    databaseUrl: database.url,
    revocations,
    get: (url, token) => app.inject({ url, headers: headersOf({ token }) }),
    send: (method, url, request = {}) =>
      app.inject({
        method,
        url,
        headers: headersOf({ idempotencyKey: randomUUID(), ...request }),
        ...(request.body === undefined ? {} : { payload: request.body as object }),
      }),
    close: async () => {
      await app.close();
      await revocations.close();
      await jwks.close();
      await database.drop();
    },
  };
}

function headersOf({ token, idempotencyKey }: TestRequest): Record<string, string> {
  return {
    ...(token && { authorization: `Bearer ${token}` }),
    ...(idempotencyKey && { 'idempotency-key': idempotencyKey }),
  };
}
