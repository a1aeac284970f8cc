import fc from 'fast-check';
import { isSignedBy, signatureHeader } from './signature.js';

const NOW = 1_800_000_000;
const OLD = 'the-old-secret-of-the-provider';
const NEW = 'the-new-secret-of-the-provider';
const body = Buffer.from('{"id":"evt_1"}');
const signed = (secret = NEW, at = NOW, bytes = body) => signatureHeader(bytes, secret, at);
const believes = (header: string | undefined, secrets = [NEW, OLD], bytes = body) =>
  isSignedBy(secrets, bytes, header, NOW);

describe('a signature', () => {
  it('is believed when it is over these bytes, now, with the new secret or with the old', () => {
    expect(believes(signed())).toBe(true);
    expect(believes(signed(OLD))).toBe(true);
    expect(believes(signed(OLD), [NEW])).toBe(false);
  });

  it('may come with one of another secret beside it, while the provider rotates', () => {
    const other = signed('an-unknown-secret-of-somebody').split(',')[1] ?? '';
    expect(believes(`${signed()},${other}`)).toBe(true);
    expect(believes(signed(NEW, NOW).replace(',', `,${other},`))).toBe(true);
  });

  it.each([
    ['within five minutes', 300, true],
    ['from the near future, as clocks differ', -300, true],
    ['after five minutes', 301, false],
    ['from the future', -301, false],
  ])('%s: %d seconds', (_what, age, expected) => {
    expect(believes(signed(NEW, NOW - age))).toBe(expected);
  });

  it('is worth nothing with a blank secret, even where one is configured', () => {
    for (const blank of ['', '  ']) {
      expect(believes(signed(blank), [blank])).toBe(false);
      expect(believes(signed(blank), [blank, NEW])).toBe(false);
    }
  });

  it('does not survive a changed byte or a changed time', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: body.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, bits) => {
          const changed = Buffer.from(body);
          changed[at] = (changed[at] ?? 0) ^ bits;
          expect(believes(signed(), [NEW], changed)).toBe(false);
        },
      ),
    );
    expect(believes(signed().replace(`t=${NOW}`, `t=${NOW + 1}`))).toBe(false);
  });

  it.each([
    undefined,
    '',
    'v1=',
    `t=${NOW}`,
    signed().split(',')[1],
    signed().toUpperCase(),
    `t=${NOW},t=${NOW},${signed().split(',')[1] ?? ''}`,
    signed().replace('v1', 'v0'),
    `${signed()}00`,
    `t=,${signed().split(',')[1] ?? ''}`,
    `t=${NOW}${',v1=00'.repeat(10_000)}`,
  ])('is not read into %s', (header) => {
    expect(believes(header)).toBe(false);
  });

  it('never throws, whatever the header', () => {
    fc.assert(fc.property(fc.string(), (header) => expect(believes(header)).toBe(false)));
  });
});
