import { once } from 'node:events';
import { connect } from 'node:net';
import { startAuth } from '../testing/running-auth.js';

describe('HEAD of the stream of revocations', () => {
  it('is answered, and takes no follower’s place while its connection is kept', async () => {
    const auth = await startAuth({ environment: { SIGNET_REVOCATION_FOLLOWERS: '1' } });
    const socket = connect(Number(new URL(auth.url).port), '127.0.0.1');
    socket.write('HEAD /revocations/stream HTTP/1.1\r\nhost: auth\r\n\r\n');
    const [head] = (await once(socket, 'data')) as [Buffer];
    expect(head.toString()).toMatch(/^HTTP\/1\.1 200 .*content-type: text\/event-stream/is);

    const follower = await fetch(`${auth.url}/revocations/stream`);
    expect(follower.status).toBe(200);
    await follower.body?.cancel();
    socket.write('GET /health/live HTTP/1.1\r\nhost: auth\r\n\r\n');
    expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  }, 20_000);
});
