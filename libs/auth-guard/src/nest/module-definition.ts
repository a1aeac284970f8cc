import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { AuthGuardOptions } from './options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<AuthGuardOptions>({ moduleName: 'AuthGuard' })
    .setClassMethodName('forRoot')
    .build();

/** The key source that the guard uses, for whoever wants to ask it something. */
export const KEY_SOURCE = Symbol.for('@signet/auth-guard:key-source');
