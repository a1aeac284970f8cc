/** Where the guard says what an operator should know. Nest's `Logger` is one. Never gets a token. */
export interface GuardLog {
  /** All is well again. */
  log(message: string): void;
  /** Something needs a look. */
  warn(message: string): void;
}

export const silentLog: GuardLog = { log: () => undefined, warn: () => undefined };
