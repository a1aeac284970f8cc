import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** A port, who listens on it and the environment variable that changes it. */
export interface PortUse {
  port: number;
  user: string;
  variable: string;
}

/** @throws Error naming every port that is taken, who wanted it and what to set */
export async function assertPortsFree(uses: PortUse[]): Promise<void> {
  const problems: string[] = [];
  for (const [index, use] of uses.entries()) {
    const other = uses.slice(0, index).find(({ port }) => port === use.port);
    if (other) {
      problems.push(
        `Port ${use.port} is wanted by both ${other.user} and ${use.user}. ` +
          `Set ${other.variable} or ${use.variable} to another port.`,
      );
    } else {
      const problem = await whyNot(use.port);
      if (!problem) continue;
      problems.push(
        `Port ${use.port}, which ${use.user} listens on, ${problem}. ` +
          `Set ${use.variable} to another port.`,
      );
    }
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

/**
 * Below what systems give to outgoing connections: one of those would take the port of a service that is
 * down for a moment, and keep it from coming back.
 */
const FREE = { from: 15_000, to: 32_000 };

/** As many different ports as asked for that nothing listened on a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(FREE.from, FREE.to);
    if ((await whyNot(port)) === undefined) ports.add(port);
  }
  return [...ports];
}

async function whyNot(port: number): Promise<string | undefined> {
  try {
    await close(await listen(port));
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') return 'is in use';
    if (code === 'EACCES') return 'is not open to this user';
    return `cannot be used (${message})`;
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
