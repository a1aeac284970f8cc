const METADATA = '/.well-known/oauth-protected-resource';

/**
 * An application as somebody else would write it, handed the packages as its own module system loads
 * them. Plain JavaScript, so the decorators are called.
 *
 * @returns for each platform, what the metadata answers, and the guarded route: without a token, with a role,
 *   without it; the type of a refusal, and what was written to the log as a warning
 */
module.exports = async function run({ common, core, platforms, guard, testing }) {
  const issuer = testing.createTestIssuer();

  class OrdersController {
    list() {
      return { items: [] };
    }
  }
  const list = Object.getOwnPropertyDescriptor(OrdersController.prototype, 'list');
  common.Controller('orders')(OrdersController);
  common.Get()(OrdersController.prototype, 'list', list);
  guard.Roles('admin')(OrdersController.prototype, 'list', list);

  const resourceMetadata = { resource: 'http://127.0.0.1' };
  class AppModule {}
  common.Module({
    imports: [guard.AuthGuardModule.forRoot({ ...issuer.options, resourceMetadata })],
    controllers: [OrdersController],
  })(AppModule);

  const answers = {};
  for (const [platform, createAdapter] of Object.entries(platforms)) {
    const warnings = [];
    const warn = (message) => warnings.push(message);
    const logger = { log: () => undefined, warn, error: warn };
    const app = await core.NestFactory.create(AppModule, createAdapter(), { logger });
    await app.listen(0, '127.0.0.1');
    const ask = async (token) => {
      const headers = token ? { authorization: `Bearer ${token}` } : {};
      return globalThis.fetch(`${await app.getUrl()}/orders`, { headers });
    };
    const refused = await ask();
    answers[platform] = {
      routes: guard.listRoutes(app).map(({ method, path }) => `${method} ${path}`),
      metadata: (await globalThis.fetch(`${await app.getUrl()}${METADATA}`)).status,
      withoutToken: refused.status,
      withRole: (await ask(issuer.token({ roles: ['admin'] }))).status,
      withoutRole: (await ask(issuer.token({ roles: ['customer'] }))).status,
      type: refused.headers.get('content-type').split(';')[0],
      warnings,
    };
    await app.close();
  }
  return answers;
};
