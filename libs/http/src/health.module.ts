import { Controller, Get, HttpStatus, Injectable, Module } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import { ApiOperation } from '@nestjs/swagger';
import { KeyReadiness, Public } from '@signet/auth-guard';
import { z } from 'zod';
import { Problem } from './problem.js';
import { Returns } from './returns.decorator.js';

/** What a service must be able to do before it is sent traffic. */
export interface ReadinessCheck {
  /** @throws {Error} whose message says what is missing */
  checkReadiness(): Promise<void> | void;
}

/** Marks a provider whose `checkReadiness()` decides, under this name, whether the service is ready. */
export const Readiness = DiscoveryService.createDecorator<string>();

@Injectable()
class ReadinessService {
  private readonly checks: { name: string; check: ReadinessCheck }[] = [];

  constructor(private readonly discovery: DiscoveryService) {}

  onModuleInit(): void {
    for (const wrapper of this.discovery.getProviders({ metadataKey: Readiness.KEY })) {
      const name = this.discovery.getMetadataByDecorator(Readiness, wrapper);
      if (name) this.checks.push({ name, check: wrapper.instance as ReadinessCheck });
    }
  }

  /** The checks that fail, by name; empty when the service is ready. */
  async failures(): Promise<Record<string, string>> {
    const results = await Promise.all(
      this.checks.map(async ({ name, check }) => {
        try {
          await check.checkReadiness();
          return undefined;
        } catch (error) {
          return [name, error instanceof Error ? error.message : String(error)] as const;
        }
      }),
    );
    return Object.fromEntries(results.filter((result) => result !== undefined));
  }
}

@Readiness('keys')
@Injectable()
class KeysCheck implements ReadinessCheck {
  constructor(private readonly keys: KeyReadiness) {}

  checkReadiness(): void {
    this.keys.checkReadiness();
  }
}

const healthy = z.object({ status: z.literal('ok') });

@Controller('health')
@Public()
class HealthController {
  constructor(private readonly readiness: ReadinessService) {}

  @Get('live')
  @ApiOperation({ summary: 'The process runs' })
  @Returns(200, healthy, 'The process runs')
  live(): z.infer<typeof healthy> {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({
    summary: 'The service can serve: its database answers and it holds the keys it needs',
  })
  @Returns(200, healthy, 'The service can serve')
  async ready(): Promise<z.infer<typeof healthy>> {
    const failures = await this.readiness.failures();
    const names = Object.keys(failures);
    if (names.length === 0) return { status: 'ok' };
    throw new Problem({
      status: HttpStatus.SERVICE_UNAVAILABLE,
      code: 'not_ready',
      detail: `Not ready: ${names.join(', ')}.`,
      retryAfter: 1,
    });
  }
}

@Module({
  imports: [DiscoveryModule],
  controllers: [HealthController],
  providers: [ReadinessService, KeysCheck],
})
export class HealthModule {}
