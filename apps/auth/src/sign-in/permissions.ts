/** What each scope lets a client do, as its user is told. */
const IN_WORDS: Readonly<Record<string, string>> = {
  openid: 'know who you are, by a number that stands for you',
  email: 'see your email address',
  offline_access: 'go on when you have signed out',
  api: 'do what you can do here, in your name',
};

/** @param scope the requested ones, separated by spaces */
export function permissionsOf(scope: unknown): string[] {
  const scopes = typeof scope === 'string' ? scope.split(' ') : [];
  return scopes.flatMap((each) => IN_WORDS[each] ?? []);
}
