import { readLogLine } from './log-line.ts';

const read = (entry: object) => readLogLine(JSON.stringify(entry), 'stdout');

it('makes a sentence of an event', () => {
  const event = {
    level: 40,
    time: 0,
    pid: 1,
    hostname: 'h',
    context: 'Stock',
    msg: 'low',
    sku: 'A',
  };
  expect(read(event)).toEqual({
    level: 40,
    text: expect.stringMatching(/^\d\d:00:00 WARN {2}\[Stock\] low sku=A$/) as string,
  });
});

it('shows of a request what was asked, the answer and how long it took', () => {
  const { text } = read({
    ...{ level: 30, msg: 'request completed', responseTime: 4 },
    req: { id: 'r1', method: 'GET', path: '/products' },
    res: { statusCode: 200 },
  });
  expect(text).toBe('INFO  request completed GET /products 200 (4 ms)');
});

it('shows where an error came from', () => {
  const { text } = read({ level: 50, msg: 'failed', err: { stack: 'Error: no\n    at here' } });
  expect(text).toBe('ERROR failed\n  Error: no\n      at here');
});

it('passes on what is not a log line, as an error when it came by stderr', () => {
  expect(readLogLine('{ oops', 'stdout')).toEqual({ level: 30, text: '{ oops' });
  expect(readLogLine('Segmentation fault', 'stderr')).toEqual({
    ...{ level: 50, text: 'Segmentation fault' },
  });
});

it('lets nothing that a service logs steer the terminal', () => {
  const evil = '\u001b]0;title\u0007\u001b[2J\r\u009b1mname\nINFO forged';
  for (const text of [
    read({ level: 30, msg: evil, name: evil, user: evil }).text,
    read({ level: 50, err: { stack: evil } }).text,
    readLogLine(evil, 'stdout').text,
  ]) {
    // eslint-disable-next-line no-control-regex -- control characters are what it is about
    expect(text.replaceAll('\n  ', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  }
});
