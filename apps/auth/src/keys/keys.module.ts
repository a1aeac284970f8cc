import { Module } from '@nestjs/common';
import { AuditModule } from '@signet/database';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { AesGcmKeyEncryption, KeyEncryption } from './key-encryption.js';
import { KeyRing } from './key-ring.js';
import { KeyRotator } from './key-rotator.js';
import { KeyStore } from './key-store.js';

@Module({
  imports: [AuditModule],
  providers: [
    KeyRing,
    KeyRotator,
    KeyStore,
    {
      provide: KeyEncryption,
      inject: [AUTH_CONFIG],
      useFactory: (config: AuthConfig) =>
        new AesGcmKeyEncryption(
          config.SIGNET_KEY_ENCRYPTION_KEY,
          config.SIGNET_KEY_ENCRYPTION_KEY_PREVIOUS,
        ),
    },
  ],
  exports: [KeyRing, KeyRotator],
})
export class KeysModule {}
