import { Controller, Get, Module } from '@nestjs/common';
import { Authenticated, AuthGuardModule } from '@signet/auth-guard';
import { createTestIssuer } from '@signet/auth-guard/testing';
import { z } from 'zod';
import { readConfig, serviceVariables } from './config.js';
import { guardOptions, resourceServerVariables } from './resource-server.js';
import { createService } from './service.js';

@Controller('things')
@Authenticated()
class ThingsController {
  @Get()
  list(): object {
    return {};
  }
}

describe('a service that verifies tokens', () => {
  it('says under its public address whose tokens it takes, to whoever was refused', async () => {
    const config = readConfig(z.object({ ...serviceVariables, ...resourceServerVariables }), {
      PORT: '0',
      LOG_LEVEL: 'silent',
      DATABASE_URL: 'postgres://unused',
      SIGNET_ISSUER: 'https://auth.example',
      SIGNET_PUBLIC_URL: 'https://api.example/things',
    });
    const { keys } = createTestIssuer();
    const guard = { ...guardOptions(config), keys, revocation: {} };
    @Module({ imports: [AuthGuardModule.forRoot(guard)], controllers: [ThingsController] })
    class ThingsModule {}
    const about = { name: 'things', title: 'Things', description: 'For tests.' };
    const app = await createService({ ...about, module: ThingsModule, config });
    await app.init();
    const path = '/.well-known/oauth-protected-resource/things';
    const refused = await app.inject({ url: '/things' });
    expect(refused.headers['www-authenticate']).toContain(`"https://api.example${path}"`);
    const answer = await app.inject({ url: path });
    expect(answer.json()).toMatchObject({
      resource: 'https://api.example/things',
      authorization_servers: ['https://auth.example'],
      bearer_methods_supported: ['header'],
    });
    await app.close();
  });
});
