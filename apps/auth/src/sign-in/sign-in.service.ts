import { Injectable } from '@nestjs/common';
import { errors } from 'oidc-provider';
import type { Interaction } from 'oidc-provider';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AccountsService } from '../accounts/accounts.service.js';
import type { Credentials } from '../accounts/accounts.service.js';
import { Throttle } from '../accounts/throttle.js';
import { OidcEngine } from '../oidc/engine.js';
import { SignOns } from '../oidc/sign-ons.js';
import { UnitOfWork } from '../oidc/unit-of-work.js';
import type { Device } from '../sessions/device.decorator.js';
import { BY_PASSWORD } from '../sessions/authentication.js';

/** The raw request and answer: the engine finds the browser's cookie in them. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/** What a user is asked on the way of an authorization. */
@Injectable()
export class SignInService {
  constructor(
    private readonly engine: OidcEngine,
    private readonly accounts: AccountsService,
    private readonly throttle: Throttle,
    private readonly signOns: SignOns,
    private readonly unit: UnitOfWork,
  ) {}

  /**
   * What this browser is asked at this address. The id in the address must be the one in the browser's
   * cookie, so that no other site and no other user can bring somebody here.
   *
   * @throws {errors.SessionNotFound} when it is over, or another browser's
   */
  async find({ request, response }: Exchange, uid: string): Promise<Interaction> {
    const interaction = await this.engine.provider.interactionDetails(request, response);
    if (interaction.uid !== uid) throw new errors.SessionNotFound('another interaction');
    return interaction;
  }

  /** @returns where the browser goes on; undefined when the credentials open no account */
  async signIn(
    exchange: Exchange,
    credentials: Credentials,
    device: Device,
  ): Promise<string | undefined> {
    const user = await this.throttle.guard(credentials.email, device.address, () =>
      this.accounts.authenticate(credentials),
    );
    if (!user) return undefined;
    return this.unit.run(async () => {
      const at = new Date();
      const proof = { userId: user.id, ...BY_PASSWORD, at };
      const signOn = await this.unit.write(async (transaction) =>
        (await this.accounts.hold(transaction, user))
          ? this.signOns.begin(transaction, proof, device)
          : undefined,
      );
      if (signOn === undefined) return undefined;
      const ts = Math.floor(at.getTime() / 1000);
      return this.finish(exchange, {
        login: { accountId: user.id, ...BY_PASSWORD, ts, signOn },
      });
    });
  }

  consent(exchange: Exchange): Promise<string> {
    return this.finish(exchange, { consent: {} });
  }

  cancel(exchange: Exchange): Promise<string> {
    return this.finish(exchange, {
      error: 'access_denied',
      error_description: 'the user did not allow it',
    });
  }

  private finish(
    { request, response }: Exchange,
    result: Parameters<OidcEngine['provider']['interactionResult']>[2],
  ): Promise<string> {
    return this.engine.provider.interactionResult(request, response, result);
  }
}
