import { isIPv6 } from 'node:net';

/** Groups of an IPv6 address that name the network: a /64 is one subscriber's. */
const NETWORK_GROUPS = 4;

/**
 * Where an address counts as coming from: itself, or the /64 of an IPv6 address, in which whoever has
 * one address has all of them.
 */
export function networkOf(address: string): string {
  const [plain = ''] = address.toLowerCase().split('%');
  const mapped = /^::ffff:(\d+(?:\.\d+){3})$/.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(plain)) return address;
  return `${groupsOf(plain).slice(0, NETWORK_GROUPS).join(':')}::/64`;
}

/** All eight groups, without leading zeros. */
function groupsOf(address: string): string[] {
  // An IPv4 address at the end stands for two groups, which are not of the network.
  const hexadecimal = address.replace(/\d+(?:\.\d+){3}$/, '0:0');
  const [left = [], right = []] = hexadecimal
    .split('::')
    .map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16).toString(16));
}
