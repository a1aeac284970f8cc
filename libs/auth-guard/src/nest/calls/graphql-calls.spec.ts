import { randomUUID } from 'node:crypto';
import { on, once } from 'node:events';
import { ApolloDriver } from '@nestjs/apollo';
import { Logger } from '@nestjs/common';
import type { INestApplication, Type } from '@nestjs/common';
import {
  Field,
  GraphQLModule,
  ID,
  Mutation,
  ObjectType,
  Parent,
  Query,
  ResolveField,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import type { GqlModuleOptions } from '@nestjs/graphql';
import { MercuriusDriver } from '@nestjs/mercurius';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { WebSocket } from 'ws';
import {
  LiveConnections,
  Authenticated,
  AuthGuardModule,
  CurrentUser,
  listRoutes,
  Public,
  Roles,
} from '../../index.js';
import type { AuthGuardOptions, Principal } from '../../index.js';
import { createDpopKey, createTestIssuer, TestClock } from '../../testing/index.js';

const issuer = createTestIssuer();

@ObjectType()
class Order {
  @Field(() => ID)
  id!: string;
}

@Resolver(() => Order)
class OrdersResolver {
  @Query(() => String)
  @Authenticated()
  whoAmI(@CurrentUser() user: Principal): string {
    return user.subject;
  }

  @Query(() => Order)
  @Authenticated()
  order(): Order {
    return { id: '1' };
  }

  @Query(() => String)
  @Public()
  open(): string {
    return 'open';
  }

  @Mutation(() => String)
  @Roles('admin')
  refund(): string {
    return 'refunded';
  }

  @Subscription(() => String)
  @Authenticated()
  async *changes(@CurrentUser() user: Principal): AsyncGenerator<object> {
    yield await Promise.resolve({ changes: `for ${user.subject}` });
    await new Promise(() => undefined);
  }

  @ResolveField(() => String)
  note(@Parent() { id }: Order): string {
    return `note of ${id}`;
  }
}

@Resolver(() => Order)
class SecretsResolver {
  @ResolveField(() => String)
  @Roles('admin')
  margin(): string {
    return '40 %';
  }

  @ResolveField(() => String)
  @Authenticated()
  note(): string {
    return 'note';
  }
}

@Resolver(() => Order)
class PlainResolver {
  @Query(() => Order)
  @Authenticated()
  order(): Order {
    return { id: '1' };
  }
}

type Platform = [
  name: string,
  driver: typeof MercuriusDriver | typeof ApolloDriver,
  adapter: () => FastifyAdapter | ExpressAdapter,
];

const mercury: Platform = ['Mercurius on Fastify', MercuriusDriver, () => new FastifyAdapter()];
const platforms: Platform[] = [
  mercury,
  ['Apollo on Express', ApolloDriver, () => new ExpressAdapter()],
];

async function create(
  [, driver, adapter]: Platform,
  resolvers: Type[],
  options: Partial<GqlModuleOptions> = {},
  guard: Partial<AuthGuardOptions> = {},
): Promise<INestApplication> {
  const module = await Test.createTestingModule({
    imports: [
      AuthGuardModule.forRoot({ ...issuer.options, ...guard }),
      GraphQLModule.forRoot({
        driver,
        autoSchemaFile: true,
        graphiql: false,
        // Jest cannot load the cache, which Mercurius imports when it is told nothing.
        ...(driver === ApolloDriver ? {} : { cache: false }),
        ...options,
      } as GqlModuleOptions),
    ],
    providers: resolvers,
  }).compile();
  return module.createNestApplication(adapter(), { logger: false });
}

interface Answer {
  data: Record<string, unknown> | null;
  errors?: { message: string; extensions?: Record<string, unknown> }[];
}

function ask(app: INestApplication, query: string, token?: string): Promise<Answer> {
  return askWith(app, query, token === undefined ? {} : { authorization: `Bearer ${token}` });
}

async function askWith(
  app: INestApplication,
  query: string,
  headers: Record<string, string>,
): Promise<Answer> {
  const response = await fetch(`${await app.getUrl()}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as Answer;
}

beforeAll(() => {
  Logger.overrideLogger(false);
});

describe.each(platforms)('GraphQL by %s', (...platform) => {
  let app: INestApplication;

  beforeAll(async () => {
    app = await create(platform, [OrdersResolver]);
    await app.listen(0, '127.0.0.1');
  });

  afterAll(() => app.close());

  const codeOf = async (query: string, token?: string) => {
    const { errors } = await ask(app, query, token);
    return errors?.[0]?.extensions?.code;
  };

  it('lets a query in and knows who asks', async () => {
    const token = issuer.token({ subject: 'u1' });
    expect((await ask(app, '{ whoAmI }', token)).data).toEqual({ whoAmI: 'u1' });
    expect(
      (await ask(app, 'mutation { refund }', issuer.token({ roles: ['admin'] }))).data,
    ).toEqual({
      refund: 'refunded',
    });
  });

  it('leaves the fields of what a query returned to the query', async () => {
    const { data } = await ask(app, '{ order { id note } }', issuer.token());
    expect(data).toEqual({ order: { id: '1', note: 'note of 1' } });
  });

  it('refuses without a token, with the code among the extensions', async () => {
    const { data, errors } = await ask(app, '{ whoAmI }');
    expect(data).toBeNull();
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'token_missing', status: 401 });
  });

  it.each(Object.keys(issuer.badTokens()))('refuses the bad token "%s"', async (kind) => {
    const bad = issuer.badTokens({ roles: ['admin'] })[kind as 'expired'];
    const answer = await ask(app, 'mutation { refund }', bad);
    expect(answer.errors?.[0]?.extensions).toMatchObject({ status: 401 });
    expect(JSON.stringify(answer)).not.toContain(bad);
    expect(JSON.stringify(answer)).not.toContain('refunded');
  });

  it('says which role it takes', async () => {
    const { errors } = await ask(app, 'mutation { refund }', issuer.token());
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'insufficient_scope',
      status: 403,
      required: { roles: ['admin'] },
    });
  });

  it('decides for each operation of a document by itself', async () => {
    expect(await codeOf('{ open whoAmI }')).toBe('token_missing');
    expect((await ask(app, '{ open }')).data).toEqual({ open: 'open' });
  });

  it('lists its operations among the routes', () => {
    const routes = listRoutes(app).filter(({ controller }) => controller === 'OrdersResolver');
    expect(routes.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'QUERY whoAmI',
      'QUERY order',
      'QUERY open',
      'MUTATION refund',
      'SUBSCRIPTION changes',
    ]);
  });
});

describe.each(platforms)('the fields of GraphQL by %s', (...platform) => {
  it('must not say who may have them when nobody would listen', async () => {
    const app = await create(platform, [PlainResolver, SecretsResolver]);
    await expect(app.init()).rejects.toThrow(
      /SecretsResolver\.margin \(FIELD SecretsResolver\.margin\): .*fieldResolverEnhancers/,
    );
  });

  it('are guarded where GraphQL is told to ask', async () => {
    const options = { fieldResolverEnhancers: ['guards' as const] };
    const app = await create(platform, [PlainResolver, SecretsResolver], options);
    await app.listen(0, '127.0.0.1');
    const query = '{ order { id margin } }';
    const refused = await ask(app, query, issuer.token());
    expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'insufficient_scope' });
    expect(JSON.stringify(refused)).not.toContain('40 %');
    const { data } = await ask(app, query, issuer.token({ roles: ['admin'] }));
    expect(data).toEqual({ order: { id: '1', margin: '40 %' } });
    await app.close();
  });

  it('must all say who may have them then', async () => {
    const options = { fieldResolverEnhancers: ['guards' as const] };
    const app = await create(platform, [OrdersResolver], options);
    await expect(app.init()).rejects.toThrow('OrdersResolver.note (FIELD OrdersResolver.note)');
  });
});

describe.each(platforms)('GraphQL with bound tokens by %s', (...platform) => {
  const publicUrls = 'https://api.example.com';
  let app: INestApplication;

  beforeAll(async () => {
    app = await create(platform, [OrdersResolver], {}, { dpop: { publicUrls } });
    await app.listen(0, '127.0.0.1');
  });

  afterAll(() => app.close());

  it('takes one proof for all operations of a request, and for no other request', async () => {
    const key = createDpopKey();
    const token = issuer.token({ boundTo: key });
    const headers = key.headers({ method: 'POST', url: `${publicUrls}/graphql`, token });
    const query = '{ whoAmI again: whoAmI order { id } }';
    const { data, errors } = await askWith(app, query, headers);
    expect(errors).toBeUndefined();
    expect(data).toEqual({ whoAmI: 'user-1', again: 'user-1', order: { id: '1' } });
    const replayed = await askWith(app, query, headers);
    expect(replayed.errors?.[0]?.extensions).toMatchObject({ code: 'dpop_proof_invalid' });
  });
});

const withSocket = {
  subscription: {
    context: (socket: WebSocket, req: object) => ({ req, socket }),
    fullWsTransport: true,
  },
} as GqlModuleOptions;

/** A socket of graphql-ws, ready for operations. */
async function openSocket(app: INestApplication, headers: object): Promise<WebSocket> {
  const { port } = new URL(await app.getUrl());
  const url = `ws://127.0.0.1:${port}/graphql`;
  const socket = new WebSocket(url, 'graphql-transport-ws', { headers: { ...headers } });
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init' }));
  await once(socket, 'message');
  return socket;
}

/** The first answer to an operation. */
async function operate(socket: WebSocket, query: string): Promise<object> {
  const id = randomUUID();
  const answers = on(socket, 'message');
  socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query } }));
  for await (const [bytes] of answers as AsyncIterable<[Buffer]>) {
    const answer = JSON.parse(bytes.toString()) as { id?: string };
    if (answer.id === id) return answer;
  }
  throw new Error('There was no answer.');
}

describe('a socket of graphql-ws', () => {
  const publicUrls = 'https://api.example.com';
  const clock = new TestClock();

  it('goes on with the proof that opened it, however old that is by now', async () => {
    const app = await create(mercury, [OrdersResolver], withSocket, {
      clock,
      dpop: { publicUrls },
    });
    await app.listen(0, '127.0.0.1');
    const key = createDpopKey();
    const token = issuer.token({ boundTo: key, sessionId: 's2' });
    const headers = key.headers({ url: `${publicUrls}/graphql`, token });
    const socket = await openSocket(app, headers);
    const data = { whoAmI: 'user-1', again: 'user-1' };
    const query = '{ whoAmI again: whoAmI }';
    expect(await operate(socket, query)).toMatchObject({ payload: { data } });
    clock.advance(120);
    expect(await operate(socket, query)).toMatchObject({ payload: { data } });
    const subscribed = await operate(socket, 'subscription { changes }');
    expect(subscribed).toMatchObject({ payload: { data: { changes: 'for user-1' } } });
    const late = await openSocket(app, headers);
    expect(JSON.stringify(await operate(late, query))).toContain('dpop_proof_invalid');
    late.terminate();

    const closed = once(socket, 'close');
    expect(app.get(LiveConnections).closeWhere(({ sessionId }) => sessionId === 's2')).toBe(1);
    expect((await closed)[0]).toBe(4401);
    expect(app.get(LiveConnections).size).toBe(0);
    await app.close();
  });
});

it('does not serve a second caller over the socket of a first one', async () => {
  let token = issuer.token({ subject: 'u1' });
  const headers = {
    get authorization() {
      return `Bearer ${token}`;
    },
  };
  const context = (socket: WebSocket) => ({ req: { method: 'GET', url: '/', headers }, socket });
  const options = { subscription: { context, fullWsTransport: true } } as GqlModuleOptions;
  const app = await create(mercury, [OrdersResolver], options);
  await app.listen(0, '127.0.0.1');
  const socket = await openSocket(app, {});
  const first = await operate(socket, '{ whoAmI }');
  expect(first).toMatchObject({ payload: { data: { whoAmI: 'u1' } } });
  token = issuer.token({ subject: 'u2' });
  expect(JSON.stringify(await operate(socket, '{ whoAmI }'))).toContain('request_ambiguous');
  socket.terminate();
  await app.close();
});

describe('a subscription', () => {
  async function subscribe(options: GqlModuleOptions, token?: string) {
    const app = await create(mercury, [OrdersResolver], options);
    await app.listen(0, '127.0.0.1');
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const socket = await openSocket(app, headers);
    const closed = once(socket, 'close') as Promise<[number, Buffer]>;
    const first = await operate(socket, 'subscription { changes }');
    return { app, socket, closed, first };
  }

  it('is let in with the token of the upgrade, and ends with the session', async () => {
    const token = issuer.token({ subject: 'u1', sessionId: 's1' });
    const { app, closed, first } = await subscribe(withSocket, token);
    expect(first).toMatchObject({ payload: { data: { changes: 'for u1' } } });
    expect(app.get(LiveConnections).closeWhere(({ sessionId }) => sessionId === 's1')).toBe(1);
    const [code, reason] = await closed;
    expect([code, reason.toString()]).toEqual([4401, 'token_revoked']);
    await app.close();
  });

  it.each([
    ['has no token', withSocket, undefined, 'token_missing'],
    ['has a bad token', withSocket, issuer.badTokens().expired, 'token_expired'],
    [
      'could not be ended later, since its socket is unknown',
      { subscription: true } as GqlModuleOptions,
      issuer.token(),
      'context_unsupported',
    ],
  ])('is refused when it %s', async (_what, options, token, code) => {
    const { app, socket, first } = await subscribe(options, token);
    expect(JSON.stringify(first)).toContain(code);
    socket.terminate();
    await app.close();
  });
});

it('does not start with an operation that says nothing about access', async () => {
  @Resolver()
  class ForgetfulResolver {
    @Query(() => String)
    forgotten(): string {
      return 'anything';
    }
  }
  const app = await create(mercury, [ForgetfulResolver]);
  await expect(app.init()).rejects.toThrow('ForgetfulResolver.forgotten (QUERY forgotten)');
});
