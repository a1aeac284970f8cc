export type { BadTokens } from './bad-tokens.js';
export { signWithPublicKey, tamper, unsign } from './forge.js';
export type { JwksServer } from './jwks-server.js';
export { signJws } from './jws.js';
export type { TestKeyPair } from './key-pair.js';
export { createKeyPair } from './key-pair.js';
export { TestClock } from './test-clock.js';
export type { TestIssuerOptions, TestTokenOptions } from './test-issuer.js';
export { createTestIssuer, TestIssuer } from './test-issuer.js';
