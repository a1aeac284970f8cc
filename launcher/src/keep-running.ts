import { describeFailure, type Failure, type RunningService } from './running-service.ts';

const MOST_ENDS = 3;
const WITHIN_MS = 60_000;

export interface KeepRunningOptions {
  /** The process of that name; undefined for one that is not started again. */
  find: (name: Failure['name']) => RunningService | undefined;
  /** Told of each process that ended by itself. */
  onEnd: (text: string) => void;
  onNotice: (text: string) => void;
  /** Told why there is no going on. */
  onGiveUp: (text: string) => void;
  /** Nothing is started any more once it is aborted. */
  signal: AbortSignal;
}

/**
 * What to do with a process that ended by itself: it is started again, the others unaware. There is no
 * going on without PostgreSQL, with a process that does not become ready again, or with one that has
 * ended three times within a minute.
 */
export function keepRunning(options: KeepRunningOptions): (failure: Failure) => void {
  const { find, onEnd, onNotice, onGiveUp, signal } = options;
  const ends = new Map<Failure['name'], number[]>();
  return (failure) => {
    if (signal.aborted) return;
    const { name } = failure;
    onEnd(describeFailure(failure));
    const recent = [...(ends.get(name) ?? []), Date.now()].slice(-MOST_ENDS);
    ends.set(name, recent);
    const tooOften = recent.length === MOST_ENDS && Date.now() - (recent[0] ?? 0) < WITHIN_MS;
    const service = find(name);
    if (!service || tooOften) {
      onGiveUp(
        service
          ? `${name} has ended ${MOST_ENDS} times within a minute.`
          : `Nothing goes on without ${name}.`,
      );
      return;
    }
    onNotice(`Starting ${name} again. The others go on.`);
    service.start(signal).then(
      () => onNotice(`${name} is back.`),
      (error: unknown) => {
        if (!signal.aborted) onGiveUp(error instanceof Error ? error.message : String(error));
      },
    );
  };
}
