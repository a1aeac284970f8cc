import { createHmac, timingSafeEqual } from 'node:crypto';

/** How far the time of a signature may be from ours, in seconds: longer would help a replay. */
export const SIGNATURE_TOLERANCE_SECONDS = 300;

/** Far above what two secrets in rotation need; a header with more is an attempt to keep us busy. */
const MOST_SIGNATURES = 5;

/** `t=<seconds>,v1=<hex HMAC-SHA256 of "t.body">`, the scheme that Stripe made common. */
export function signatureHeader(
  body: string | Buffer,
  secret: string,
  seconds = Math.floor(Date.now() / 1000),
): string {
  return `t=${seconds},v1=${sign(body, secret, seconds).toString('hex')}`;
}

/**
 * Whether a header signs exactly these bytes, now, with one of the secrets: two while they rotate.
 * The comparison takes the same time for every wrong signature.
 */
export function isSignedBy(
  secrets: readonly string[],
  body: Buffer,
  header: string | undefined,
  seconds = Math.floor(Date.now() / 1000),
): boolean {
  const { time, signatures } = readHeader(header ?? '');
  if (time === undefined || Math.abs(seconds - time) > SIGNATURE_TOLERANCE_SECONDS) return false;
  let found = false;
  for (const secret of secrets) {
    // An empty secret is one that everybody knows.
    if (secret.trim() === '') continue;
    const expected = sign(body, secret, time);
    for (const signature of signatures) {
      found = timingSafeEqual(expected, signature) || found;
    }
  }
  return found;
}

function readHeader(header: string): { time: number | undefined; signatures: Buffer[] } {
  const fields = header.split(',').map((field) => field.trim().split('='));
  const times = fields.flatMap(([name, value = '']) => (name === 't' ? [value] : []));
  const signatures = fields.flatMap(([name, value = '']) =>
    name === 'v1' && /^[0-9a-f]{64}$/.test(value) ? [Buffer.from(value, 'hex')] : [],
  );
  const [time = ''] = times;
  const isTime = times.length === 1 && /^\d{1,12}$/.test(time);
  if (!isTime || signatures.length > MOST_SIGNATURES) return { time: undefined, signatures: [] };
  return { time: Number(time), signatures };
}

function sign(body: string | Buffer, secret: string, seconds: number): Buffer {
  return createHmac('sha256', secret).update(`${seconds}.`).update(body).digest();
}
