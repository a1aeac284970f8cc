import { spawnSync } from 'node:child_process';
import { createServer, connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** From the block that RFC 2544 keeps for measurements: nobody has routes for it. */
const OUTSIDE = '198.18.213.1';
const INSIDE = '198.18.213.2';

/** Whether this machine lets us make network namespaces and drop packets in them. */
export function hasNamespaces(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const name = `signet-probe-${process.pid}`;
  if (!succeeds('ip', 'netns', 'add', name)) return false;
  const drops = succeeds('ip', 'netns', 'exec', name, 'iptables', '-w', '-L', '-n');
  return succeeds('ip', 'netns', 'del', name) && drops;
}

/**
 * A network with nobody else in it, joined to this one by a cable. What listens on this machine's own
 * address is reached from inside by a relay; packets to and from a relay can be dropped without a word
 * to either side.
 */
export class Namespace {
  /** Where a service inside listens, for us. */
  readonly address = INSIDE;
  /** To run something inside: this, and the command behind it. */
  readonly within: readonly string[];
  private readonly name = `signet-e2e-${process.pid}`;
  private readonly cable = `sgn${process.pid}`;
  private readonly relays: Server[] = [];
  private readonly connections = new Set<Socket>();

  constructor() {
    this.within = ['ip', 'netns', 'exec', this.name];
    const inside = (...words: string[]) => run(...this.within, ...words);
    run('ip', 'netns', 'add', this.name);
    try {
      const peer = ['peer', 'name', 'eth0', 'netns', this.name];
      run('ip', 'link', 'add', this.cable, 'type', 'veth', ...peer);
      run('ip', 'address', 'add', `${OUTSIDE}/30`, 'dev', this.cable);
      run('ip', 'link', 'set', this.cable, 'up');
      inside('ip', 'address', 'add', `${INSIDE}/30`, 'dev', 'eth0');
      for (const device of ['lo', 'eth0']) inside('ip', 'link', 'set', device, 'up');
    } catch (error) {
      succeeds('ip', 'netns', 'del', this.name);
      throw error;
    }
  }

  /**
   * Makes a port of this machine reachable from inside.
   *
   * @returns the address to use there, as `host:port`
   */
  async relay(port: number): Promise<string> {
    const server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      for (const [one, another] of [
        [near, far],
        [far, near],
      ] as const) {
        this.connections.add(one);
        one.on('error', () => another.destroy());
        one.on('close', () => {
          this.connections.delete(one);
          another.destroy();
        });
        one.pipe(another);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, OUTSIDE, resolve));
    this.relays.push(server);
    return `${OUTSIDE}:${(server.address() as AddressInfo).port}`;
  }

  /** From now on no packet to or from the relay arrives. */
  drop(relay: string): void {
    this.rules('-A', relay);
  }

  /** Packets arrive again. */
  pass(relay: string): void {
    this.rules('-D', relay);
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.destroy();
    await Promise.all(
      this.relays.map((server) => new Promise((resolve) => server.close(() => resolve(undefined)))),
    );
    // Takes the cable along.
    run('ip', 'netns', 'del', this.name);
  }

  private rules(action: '-A' | '-D', relay: string): void {
    const port = relay.split(':').at(-1) ?? '';
    const rule = (chain: string, side: string) =>
      run(
        ...this.within,
        ...['iptables', '-w', action, chain, '-p', 'tcp', side, port, '-j', 'DROP'],
      );
    rule('INPUT', '--sport');
    rule('OUTPUT', '--dport');
  }
}

function succeeds(command: string, ...words: string[]): boolean {
  return spawnSync(command, words).status === 0;
}

function run(...[command = '', ...words]: string[]): void {
  const { status, stderr } = spawnSync(command, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${stderr}`);
}
