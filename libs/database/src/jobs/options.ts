/** How a queue treats its jobs. Times in seconds. */
export interface QueueOptions {
  /** Jobs of this queue that one replica runs at once. */
  concurrency: number;
  /** How often a job that failed is tried again, before it is put into `<queue>_dead`. */
  retryLimit: number;
  /** Before the first repetition; doubled, with jitter, for each further one. */
  retryDelay: number;
  /** The longest pause between two tries. */
  retryDelayMax: number;
  /** A job that runs longer is given to another worker. */
  expireIn: number;
}

export interface JobsOptions {
  /** The queues of the service, by name. */
  queues: Record<string, QueueOptions>;
  /** A worker that was killed is noticed after this, at least 10; 15 by default. */
  heartbeat?: number;
  /** How often somebody looks for such workers; 10 by default. */
  supervise?: number;
}

export interface SendOptions {
  /** Not to be run before. */
  startAfter?: Date;
  /** While a job with this key waits in the queue, another one is not added. */
  key?: string;
}

/** What a handler is told about its job, besides the payload. */
export interface JobContext {
  id: string;
  /** Aborted when the service stops or the job's time is up: finish soon, the job will come again. */
  signal: AbortSignal;
}

export const JOBS_OPTIONS = Symbol('JOBS_OPTIONS');

/** The schema that holds the jobs in the service's own database. */
export const JOBS_SCHEMA = 'jobs';

/** Where the jobs of a queue end that failed too often. */
export const deadLetterQueue = (queue: string): string => `${queue}_dead`;
