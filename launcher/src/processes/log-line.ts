import { stripVTControlCharacters } from 'node:util';

export interface LogLine {
  /** pino's numbers: 20 debug, 30 info, 40 warn, 50 error, 60 fatal. */
  level: number;
  text: string;
}

export const WARN = 40;
export const ERROR = 50;

const NAMES: Record<number, string> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
};

/** Members of every line, which are in the text already or the same in all. */
const USUAL = new Set(['level', 'time', 'pid', 'hostname', 'name', 'msg', 'context', 'req', 'res']);

/**
 * Makes one readable line of a line of pino's JSON; anything else passes as it is. What a service
 * wrote may stem from a request, so nothing in it may steer the terminal.
 */
export function readLogLine(line: string, stream: 'stdout' | 'stderr'): LogLine {
  const entry = parse(line);
  if (!entry) return { level: stream === 'stderr' ? 50 : 30, text: harmless(line) };
  const { level, time, context, msg } = entry;
  const error = record(entry.err);
  const parts = [
    typeof time === 'number' ? new Date(time).toTimeString().slice(0, 8) : '',
    (NAMES[level] ?? String(level)).padEnd(5),
    typeof context === 'string' ? `[${context}]` : '',
    typeof msg === 'string' ? msg : '',
    request(entry),
    ...Object.entries(entry)
      .filter(([name]) => !USUAL.has(name) && name !== 'err' && name !== 'responseTime')
      .map(
        ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
      ),
  ];
  const text = harmless(parts.filter((part) => part !== '').join(' '));
  const stack = typeof error?.stack === 'string' ? error.stack.split('\n') : [];
  return { level, text: [text, ...stack.map((frame) => `  ${harmless(frame)}`)].join('\n') };
}

type Entry = Record<string, unknown> & { level: number };

function parse(line: string): Entry | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const entry = JSON.parse(line) as Record<string, unknown>;
    return typeof entry.level === 'number' ? (entry as Entry) : undefined;
  } catch {
    return undefined;
  }
}

/** `GET /products 200 (4 ms)`, from what pino-http adds to a request's line. */
function request({ req, res, responseTime }: Entry): string {
  const { method, path } = record(req) ?? {};
  if (typeof method !== 'string' || typeof path !== 'string') return '';
  const status = record(res)?.statusCode;
  const parts = [method, path];
  if (typeof status === 'number') parts.push(String(status));
  if (typeof responseTime === 'number') parts.push(`(${responseTime} ms)`);
  return parts.join(' ');
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)
    : undefined;
}

function harmless(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what it is about
  return stripVTControlCharacters(text).replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g, '?');
}
