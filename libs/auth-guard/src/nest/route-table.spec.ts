import {
  All,
  Controller,
  Get,
  Logger,
  Module,
  Post,
  Version,
  VersioningType,
} from '@nestjs/common';
import type { INestApplication, Type } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import {
  Authenticated,
  AuthGuardModule,
  describeAccess,
  listRoutes,
  Public,
  Roles,
  UndeclaredAccessError,
} from '../index.js';
import { createTestIssuer } from '../testing/index.js';
import { GuardLifecycle } from './guard-lifecycle.js';

const issuer = createTestIssuer();

async function create(...controllers: Type[]): Promise<INestApplication> {
  @Module({ controllers })
  class FeatureModule {}
  const module = await Test.createTestingModule({
    imports: [AuthGuardModule.forRoot(issuer.options), FeatureModule],
  }).compile();
  return module.createNestApplication(new FastifyAdapter());
}

@Controller('orders')
class OrdersController {
  @Get()
  @Authenticated()
  list(): void {
    // Only its decorators matter.
  }

  @Get(':id')
  find(): void {
    // Forgotten on purpose.
  }

  helper(): void {
    // No route, so it needs no access.
  }
}

@Controller(['a', 'b'])
@Roles('admin')
class AdminController {
  @Post(['x', 'y'])
  change(): void {
    // Only its decorators matter.
  }

  @All('any')
  @Public()
  any(): void {
    // Only its decorators matter.
  }
}

@Controller('contradiction')
@Authenticated('service')
class ContradictoryController {
  @Get()
  @Roles('admin')
  find(): void {
    // Only its decorators matter.
  }
}

class BaseController {
  @Get('inherited')
  inherited(): void {
    // Forgotten on purpose.
  }
}

@Controller('derived')
class DerivedController extends BaseController {}

beforeAll(() => {
  Logger.overrideLogger(false);
});

describe('an application with a route that says nothing about access', () => {
  it('does not start, and names the method and its route', async () => {
    const app = await create(OrdersController);
    const error: unknown = await app.init().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UndeclaredAccessError);
    const { message } = error as Error;
    expect(message).toContain('OrdersController.find (GET /orders/:id)');
    expect(message).not.toMatch(/OrdersController\.(?:list|helper)/);
  });

  it('names all of them at once, inherited ones included', async () => {
    const app = await create(OrdersController, DerivedController, AdminController);
    await expect(app.init()).rejects.toThrow(
      /OrdersController\.find \(GET \/orders\/:id\)\n {2}DerivedController\.inherited \(GET \/derived\/inherited\)/,
    );
  });

  it('names the route whose class and method contradict each other, and says how', async () => {
    const app = await create(ContradictoryController);
    await expect(app.init()).rejects.toThrow(
      'ContradictoryController.find (GET /contradiction): @Roles() is for users',
    );
  });

  it('would deny the route at each request all the same', async () => {
    const module = await Test.createTestingModule({
      imports: [AuthGuardModule.forRoot(issuer.options)],
      controllers: [OrdersController],
    })
      .overrideProvider(GuardLifecycle)
      .useValue({})
      .compile();
    const app = module.createNestApplication(new FastifyAdapter());
    await app.listen(0, '127.0.0.1');
    const response = await fetch(`${await app.getUrl()}/orders/1`, {
      headers: { authorization: `Bearer ${issuer.token({ roles: ['admin'] })}` },
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: 'access_undeclared' });
    await app.close();
  });
});

describe('the table of routes', () => {
  const rows = (app: INestApplication) =>
    listRoutes(app).map(({ controller, handler, method, path, access }) =>
      [method, path, `${controller}.${handler}`, describeAccess(access)].join(' | '),
    );

  it('lists every path of every handler with who may call it', async () => {
    const app = await create(AdminController);
    await app.init();
    expect(rows(app)).toEqual([
      'POST | /a/x | AdminController.change | roles: admin',
      'POST | /a/y | AdminController.change | roles: admin',
      'POST | /b/x | AdminController.change | roles: admin',
      'POST | /b/y | AdminController.change | roles: admin',
      'ALL | /a/any | AdminController.any | public',
      'ALL | /b/any | AdminController.any | public',
    ]);
    await app.close();
  });

  it('gives paths as they are served: with prefixes, versions and the paths of modules', async () => {
    @Controller({ path: 'things', version: '1' })
    @Public()
    class ThingsController {
      @Get()
      list(): string {
        return 'v1';
      }

      @Get()
      @Version('2')
      listNewer(): string {
        return 'v2';
      }
    }
    @Module({ controllers: [ThingsController] })
    class ThingsModule {}
    const module = await Test.createTestingModule({
      imports: [
        AuthGuardModule.forRoot(issuer.options),
        ThingsModule,
        RouterModule.register([{ path: 'area', module: ThingsModule }]),
      ],
    }).compile();
    const app = module.createNestApplication(new FastifyAdapter());
    app.setGlobalPrefix('api').enableVersioning({ type: VersioningType.URI });
    await app.listen(0, '127.0.0.1');
    const paths = listRoutes(app).map(({ path }) => path);
    expect(paths).toEqual(['/api/v1/area/things', '/api/v2/area/things']);
    for (const path of paths) {
      expect((await fetch(`${await app.getUrl()}${path}`)).status).toBe(200);
    }
    await app.close();
  });
});
