import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { ModulesContainer } from '@nestjs/core';
import { GuardsContextCreator } from '@nestjs/core/guards/guards-context-creator.js';
import { AccessGuard } from './access.guard.js';
import type { HandlerClass } from './routes/declared.js';
import { gatewaysIn, messageControllersIn } from './routes/message-routes.js';

/**
 * Nest does not apply global guards everywhere: not to gateways before version 12, and not to the
 * messages of a hybrid application that was connected without `inheritAppConfig`. So this one, which
 * only asks the global one, is put on every class that takes messages, as `@UseGuards()` would.
 */
@Injectable()
export class MessageGuard implements CanActivate {
  constructor(
    private readonly guard: AccessGuard,
    private readonly modules: ModulesContainer,
  ) {
    // Here, because an application binds its gateways before it calls any hook.
    this.attach();
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    return context.getType() === 'http' || this.guard.canActivate(context);
  }

  hasGateways(): boolean {
    return [...this.modules.values()].some((module) => gatewaysIn(module).length > 0);
  }

  /**
   * Asks Nest whether it will call this guard for every class that takes messages.
   *
   * @throws {Error} naming one for which it will not
   */
  assertAttached(): void {
    const { modules } = this;
    const container = { getModules: () => modules };
    for (const [key, module] of modules) {
      const guards = new GuardsContextCreator(container as never);
      for (const type of [...gatewaysIn(module), ...messageControllersIn(module)]) {
        const instance = Object.create(type.prototype as object) as { constructor: never };
        const called = guards.create(instance, () => undefined, key);
        if (!called.includes(this)) {
          throw new Error(`The guard cannot be put before the messages of ${type.name}.`);
        }
      }
    }
  }

  private attach(): void {
    const wrapper = [...this.modules.values()]
      .map(({ providers }) => providers.get(MessageGuard))
      .find((found) => found !== undefined);
    if (!wrapper) return;
    for (const module of this.modules.values()) {
      for (const type of [...gatewaysIn(module), ...messageControllersIn(module)]) {
        putBefore(type);
        module.injectables.set(MessageGuard, wrapper);
      }
    }
  }
}

/** First, since the other guards of the class may rely on the principal. */
function putBefore(type: HandlerClass): void {
  const guards = (Reflect.getMetadata(GUARDS_METADATA, type) ?? []) as unknown[];
  if (guards[0] === MessageGuard) return;
  Reflect.defineMetadata(GUARDS_METADATA, [MessageGuard, ...guards], type);
}
