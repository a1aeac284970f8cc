import type { ZxcvbnFactory } from '@zxcvbn-ts/core';

/** A password that is found by fewer guesses is refused, however it is composed. */
const GUESSES = 1e6;

/**
 * What is longer is in no list, and is not looked into: the time that it takes grows faster than the
 * password, and at this length it is a few milliseconds.
 */
const LONGEST = 32;

/** Words that whoever attacks this service in particular tries first. */
const CONTEXT = ['signet'];

let loading: Promise<ZxcvbnFactory> | undefined;

/**
 * NIST SP 800-63B section 3.1.1.2: refused are passwords that are common, known from breaches, made of
 * repetitions and sequences, or that follow from the context, with the usual variations of all these.
 *
 * @param address the account's, in lower case
 */
export async function isGuessable(address: string, password: string): Promise<boolean> {
  if (password.toLowerCase() === address) return true;
  if (password.length > LONGEST) return false;
  loading ??= load();
  const about = [...CONTEXT, address, ...address.split(/[@.+_-]/)];
  return (await loading).check(password, about).guesses < GUESSES;
}

/** At the first use: the list takes 30 MB, and many replicas never see a new password. */
async function load(): Promise<ZxcvbnFactory> {
  const [{ ZxcvbnFactory }, { dictionary, adjacencyGraphs }] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
  ]);
  return new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });
}
