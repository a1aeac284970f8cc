import 'reflect-metadata';
import { AuthGuardConfigurationError, RevocationStateStaleError } from '../errors.js';

const MAX_AGE = Symbol.for('@signet/auth-guard:max-revocation-age');

/** Ten heartbeats of the feed, and room for clocks that differ. */
const DEFAULT_SECONDS = 10;

type Target = abstract new (...args: never[]) => unknown;

/**
 * For what moves money or rights: such a call is answered with 503 `revocation_state_stale` while the
 * service's knowledge of revocations is older than so many seconds. Without any revocation feed there is
 * no such knowledge, and nothing is asked; with one, tokens of issuers that have none are refused. The
 * guard says either at boot.
 *
 * Stands on a method, or on a class for all of its methods.
 */
export function RequireFresh(seconds = DEFAULT_SECONDS): ClassDecorator & MethodDecorator {
  if (!Number.isFinite(seconds) || seconds < 1) {
    throw new AuthGuardConfigurationError('@RequireFresh() expects 1 second or more');
  }
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void => {
    const holder = (key === undefined ? target : descriptor?.value) as object;
    Reflect.defineMetadata(MAX_AGE, seconds, holder);
  };
}

/** How old knowledge may be for a handler, in seconds; undefined when it does not matter. */
export function maxRevocationAge(target: Target, handler: object): number | undefined {
  return (Reflect.getMetadata(MAX_AGE, handler) ?? Reflect.getMetadata(MAX_AGE, target)) as
    number | undefined;
}

/** @throws {RevocationStateStaleError} */
export function assertFresh(age: number, maxAge: number): void {
  if (age > maxAge) throw new RevocationStateStaleError(maxAge);
}
