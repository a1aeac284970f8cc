import { Inject, Injectable, Logger } from '@nestjs/common';
import { THE_SERVICE } from '@signet/database';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig, SeedAccount } from '../config.js';
import { AccountsService } from './accounts.service.js';
import type { User } from './accounts.service.js';
import { PasswordHasher } from './password-hasher.js';

/** Sees to it that the accounts named in the configuration exist before the service is ready. */
@Injectable()
export class SeedingService {
  private readonly logger = new Logger('Seeding');

  constructor(
    @Inject(AUTH_CONFIG) private readonly config: AuthConfig,
    private readonly accounts: AccountsService,
    private readonly hasher: PasswordHasher,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await Promise.all(this.config.SIGNET_SEED_ACCOUNTS.map((account) => this.seed(account)));
  }

  /**
   * Roles are set when the account is made and never again: they are the administrators' since. A password
   * is set again once, and is its user's since: whoever changed it keeps the new one when we restart.
   */
  private async seed({ email, password, roles, resetPassword }: SeedAccount): Promise<void> {
    const user = await this.accounts.findByEmail(email);
    if (!user) {
      if (await this.accounts.create({ email, password }, roles, 'operator')) {
        this.logger.log(`Made an account with the roles: ${roles.join(', ') || 'none'}`);
      }
    } else if (resetPassword && !(await this.wasGiven(user, password))) {
      await this.accounts.setPassword(user, password, {
        actor: THE_SERVICE,
        chosenBy: 'operator',
      });
      this.logger.log('Set the password of an account again');
    }
  }
  private async wasGiven({ seedPasswordHash }: User, password: string): Promise<boolean> {
    return seedPasswordHash !== null && (await this.hasher.verify(seedPasswordHash, password));
  }
}
