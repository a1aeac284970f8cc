import { setTimeout as sleep } from 'node:timers/promises';
import { readLogLine, type LogLine } from './processes/log-line.ts';
import { startProcess, type Exit, type ServiceProcess } from './processes/service-process.ts';
import type { ProcessName } from './services.ts';

const READY_WITHIN_MS = 60_000;
const KEPT_LINES = 20;

/** A process that ended without having been told to. */
export interface Failure extends Exit {
  name: ProcessName | 'postgres';
  /** The end of its log, readable. */
  lastLines: string[];
}

export class ServiceFailedError extends Error {
  override readonly name = 'ServiceFailedError';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(describeFailure(failure));
    this.failure = failure;
  }
}

export interface ServiceOptions {
  name: ProcessName;
  url: string;
  /** The file that Node runs. */
  main: string;
  env: NodeJS.ProcessEnv;
  /** A command that runs the one behind it. */
  within?: readonly string[];
  onLine: (service: ProcessName, line: LogLine) => void;
  /** Told the id of each process before it is ready. */
  onStart: (service: ProcessName, pid: number) => Promise<void>;
  onFailure: (failure: Failure) => void;
}

/** A service that can be ended and started again, always with the same address and environment. */
export class RunningService {
  readonly name: ProcessName;
  readonly url: string;
  private readonly options: ServiceOptions;
  private process: ServiceProcess | undefined;
  private readonly lastLines: string[] = [];
  private endExpected = false;

  constructor(options: ServiceOptions) {
    this.name = options.name;
    this.url = options.url;
    this.options = options;
  }

  /** The process that runs, or that ran last. */
  get pid(): number {
    return this.process?.pid ?? 0;
  }

  /**
   * Starts the process and waits until `GET /health/ready` is answered with 200.
   *
   * @throws {ServiceFailedError} when it ends before that
   */
  async start(signal?: AbortSignal): Promise<void> {
    const { name, main, env, within, onStart } = this.options;
    this.endExpected = false;
    this.lastLines.length = 0;
    const keep = (text: string, stream: 'stdout' | 'stderr') =>
      this.keep(readLogLine(text, stream));
    const started = startProcess(main, env, keep, within);
    this.process = started;
    let failure: Failure | undefined;
    let ready = false;
    void started.exited.then((exit) => {
      failure = { name, ...exit, lastLines: [...this.lastLines] };
      if (ready && !this.endExpected) this.options.onFailure(failure);
    });
    await onStart(name, started.pid);
    const deadline = Date.now() + READY_WITHIN_MS;
    while (!(await answersReady(this.url))) {
      signal?.throwIfAborted();
      if (failure) break;
      if (Date.now() > deadline) throw new Error(this.notReady());
      await sleep(40);
    }
    if (failure) throw new ServiceFailedError(failure);
    ready = true;
  }

  /** Ends the process with a signal, as a crash would, and waits for the end. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.endExpected = true;
    await this.process?.kill(signal);
  }

  async stop(): Promise<void> {
    this.endExpected = true;
    await this.process?.stop();
  }

  /** Stops the process if it runs, and starts it again. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  private keep(line: LogLine): void {
    this.lastLines.push(line.text);
    if (this.lastLines.length > KEPT_LINES) this.lastLines.shift();
    this.options.onLine(this.name, line);
  }

  private notReady(): string {
    const log = this.lastLines.map((line) => `\n  ${line}`).join('');
    return `${this.name} was not ready after ${READY_WITHIN_MS / 1000} s. Its last log lines:${log}`;
  }
}

export function describeFailure({ name, code, signal, lastLines }: Failure): string {
  const how = signal ? `was ended by ${signal}` : `ended by itself with exit code ${code ?? '?'}`;
  if (lastLines.length === 0) return `${name} ${how}, without a word.`;
  return `${name} ${how}. Its last log lines:\n${lastLines.map((line) => `  ${line}`).join('\n')}`;
}

async function answersReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) });
    await answer.body?.cancel();
    return answer.status === 200;
  } catch {
    return false;
  }
}
