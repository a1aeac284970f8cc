/**
 * One application that is called in every other way than by plain requests: a gateway, GraphQL, messages.
 * Prints as JSON what each answers without a token, with the role, and without it.
 */
require('reflect-metadata');
const { createServer } = require('node:net');
const process = require('node:process');
const { Catch, Controller, Module, UseFilters } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { GraphQLModule, Query, Resolver } = require('@nestjs/graphql');
const { MercuriusDriver } = require('@nestjs/mercurius');
const { ClientProxyFactory, MessagePattern, Transport } = require('@nestjs/microservices');
const { FastifyAdapter } = require('@nestjs/platform-fastify');
const { WsAdapter } = require('@nestjs/platform-ws');
const { SubscribeMessage, WebSocketGateway, WsException } = require('@nestjs/websockets');
const { AuthGuardModule, guardSockets, listRoutes, Roles } = require('@signet/auth-guard');
const { createTestIssuer } = require('@signet/auth-guard/testing');
const { lastValueFrom } = require('rxjs');
const { WebSocket } = require('ws');

const issuer = createTestIssuer();
const TOKENS = {
  withoutToken: undefined,
  withRole: issuer.token({ roles: ['admin'] }),
  withoutRole: issuer.token({ roles: ['customer'] }),
};

/** A class with one method `refund` for administrators, which says `refunded`. */
function handler(decorateClass, decorateMethod) {
  class Handler {
    refund() {
      return 'refunded';
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Handler.prototype, 'refund');
  decorateClass(Handler);
  decorateMethod(Handler.prototype, 'refund', descriptor);
  Roles('admin')(Handler.prototype, 'refund', descriptor);
  return Handler;
}

/** Nest 11's own filter emits an event, which a socket of `ws` takes for one of its own: nobody is told. */
class TellingFilter {
  catch(exception, host) {
    host
      .switchToWs()
      .getClient()
      .send(JSON.stringify({ data: exception.getError() }));
  }
}
Catch(WsException)(TellingFilter);

const Gateway = handler(WebSocketGateway(), SubscribeMessage('refund'));
UseFilters(new TellingFilter())(Gateway);

class AppModule {}
Module({
  imports: [
    AuthGuardModule.forRoot({ ...issuer.options, rpc: { token: ({ token }) => token } }),
    GraphQLModule.forRoot({
      driver: MercuriusDriver,
      typeDefs: 'type Query { refund: String }',
    }),
  ],
  controllers: [handler(Controller(), MessagePattern('refund'))],
  providers: [Gateway, handler(Resolver(), Query('refund'))],
})(AppModule);

/** What a gateway answers; the reason when it closes the connection instead. */
function askGateway(url, token) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const socket = new WebSocket(url.replace('http', 'ws'), { headers });
  return new Promise((resolve) => {
    socket.on('open', () => socket.send(JSON.stringify({ event: 'refund' })));
    socket.on('close', (_code, reason) => resolve(reason.toString()));
    socket.on('message', (bytes) => {
      const answer = JSON.parse(bytes.toString());
      // Nest 11 sends what a handler returns as it is.
      resolve(answer.data?.code ?? answer.data ?? answer);
      socket.close();
    });
  });
}

async function askGraphql(url, token) {
  const headers = { 'content-type': 'application/json' };
  if (token) headers.authorization = `Bearer ${token}`;
  const body = JSON.stringify({ query: '{ refund }' });
  const response = await globalThis.fetch(`${url}/graphql`, { method: 'POST', headers, body });
  const { data, errors } = await response.json();
  return errors?.[0]?.extensions?.code ?? data.refund;
}

function askByMessage(client, token) {
  return lastValueFrom(client.send('refund', { token })).catch((error) => error.code);
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function ask(question) {
  const answers = {};
  for (const [name, token] of Object.entries(TOKENS)) answers[name] = await question(token);
  return answers;
}

async function run() {
  const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false });
  const options = { host: '127.0.0.1', port: await freePort() };
  app.useWebSocketAdapter(guardSockets(app, new WsAdapter(app)));
  app.connectMicroservice({ transport: Transport.TCP, options });
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const client = ClientProxyFactory.create({ transport: Transport.TCP, options });
  const answers = {
    routes: listRoutes(app).map(({ method, path }) => `${method} ${path}`),
    gateway: await ask((token) => askGateway(url, token)),
    graphql: await ask((token) => askGraphql(url, token)),
    message: await ask((token) => askByMessage(client, token)),
  };
  await client.close();
  await app.close();
  return answers;
}

run().then((answers) => process.stdout.write(JSON.stringify(answers)));
