import { decodeBase64url } from './base64url.js';

describe('base64url', () => {
  it('decodes the canonical spelling', () => {
    expect(decodeBase64url('Zm9v')).toEqual(Buffer.from('foo'));
    expect(decodeBase64url('_-8')).toEqual(Buffer.from([0xff, 0xef]));
  });

  it.each([
    ['padding', 'Zm8='],
    ['stray bits at the end', 'Zm9'],
    ['a length that no bytes have', 'Zm9vY'],
    ['characters of the other alphabet', '/+8'],
    ['white space', 'Zm 9v'],
    ['a line break at the end', 'Zm9v\n'],
    ['a character that is not ASCII', 'Zm9v\u00e9'],
    ['a full-width look-alike', '\uff3am9v'],
    ['a NUL', 'Zm9v\0'],
    ['nothing', ''],
  ])('refuses %s', (_what, text) => {
    expect(decodeBase64url(text)).toBeUndefined();
  });
});
