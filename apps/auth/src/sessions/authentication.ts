/** A password and nothing else: `pwd` of RFC 8176, and the level we call it by. */
export const BY_PASSWORD = { acr: 'urn:signet:acr:password', amr: ['pwd'] };
