import { Module } from '@nestjs/common';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { AesGcmKeyEncryption, KeyEncryption } from './key-encryption.js';
import { KeyRing } from './key-ring.js';

@Module({
  providers: [
    KeyRing,
    {
      provide: KeyEncryption,
      inject: [AUTH_CONFIG],
      useFactory: (config: AuthConfig) => new AesGcmKeyEncryption(config.SIGNET_KEY_ENCRYPTION_KEY),
    },
  ],
  exports: [KeyRing],
})
export class KeysModule {}
