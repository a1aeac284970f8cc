/** How long things may take, in milliseconds. */
export interface ProviderTiming {
  /** A call to the provider; then its outcome counts as unknown. */
  deadline: number;
  /** An unknown outcome is asked about after this, and again each time it has passed. */
  reconcileAfter: number;
}

export const PROVIDER_TIMING = Symbol('PROVIDER_TIMING');
