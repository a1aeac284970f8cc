import { styleText } from 'node:util';
import { CATALOGUE } from './catalogue.ts';
import { SERVICES } from './services.ts';
import type { System } from './system.ts';

/** What a person needs to start using a system that has just started. Fits 100 columns. */
export function welcome({ services, sandbox, accounts, database }: System): string {
  const addresses = table(
    ['Service', 'Address', 'API documentation'],
    SERVICES.map(({ name }) => [name, services[name].url, `${services[name].url}/docs`]),
  );
  const people = table(
    ['Demo account', 'Role', 'Password'],
    accounts.map(({ email, role, password }) => [email, role, password]),
  );
  return [
    '',
    `${styleText(['green', 'bold'], 'Signet is ready.')} One login opens every service.`,
    '',
    ...addresses,
    '',
    ...people,
    '',
    ...commands(services, accounts),
    '',
    styleText('dim', `PostgreSQL: ${database}`),
    styleText(
      'dim',
      `Payments: a sandbox at ${sandbox.url}, which takes no money. Pay with tok_ok,`,
    ),
    styleText(
      'dim',
      'tok_declined, tok_timeout, tok_slow or tok_requires_review (docs/payments.md).',
    ),
    styleText('dim', 'Ctrl-C stops everything. --verbose shows all logs, --reset starts afresh.'),
    '',
  ]
    .map((line) => (line ? `  ${line}` : line))
    .join('\n');
}

function commands(services: System['services'], accounts: System['accounts']): string[] {
  const customer = accounts.find(({ role }) => role === 'customer');
  const login = JSON.stringify({ email: customer?.email, password: customer?.password });
  const [product] = CATALOGUE;
  const items = [{ sku: product?.sku, quantity: 1 }];
  const purchase = JSON.stringify({ items, paymentMethod: 'tok_ok' });
  const bearer = '-H "authorization: Bearer $TOKEN"';
  const step = (text: string) => styleText('dim', `# ${text}`);
  return [
    styleText('bold', 'Try it'),
    '',
    step('1. Log in as the customer and keep the token'),
    `TOKEN=$(curl -s ${services.auth.url}/auth/login -H 'content-type: application/json' \\`,
    `  -d ${shellQuoted(login)} \\`,
    `  | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`,
    '',
    step('2. The token opens the orders service: buy something, and keep the number of the order'),
    `ORDER=$(curl -s ${services.orders.url}/orders ${bearer} \\`,
    `  -H "idempotency-key: $(date +%s)" -H 'content-type: application/json' \\`,
    `  -d ${shellQuoted(purchase)} \\`,
    `  | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')`,
    '',
    step('3. A second later it is paid: "status":"confirmed". Try tok_declined in step 2, too'),
    `curl -i ${services.orders.url}/orders/$ORDER ${bearer}`,
    '',
    step('4. The same token on a route for staff: 403, a customer lacks the role'),
    `curl -i ${services.orders.url}/admin/orders ${bearer}`,
  ];
}

function table(head: string[], rows: string[][]): string[] {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const format = (row: string[]) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   ');
  const rule = widths.map((width) => '─'.repeat(width)).join('───');
  return [
    styleText('bold', format(head).trimEnd()),
    styleText('dim', rule),
    ...rows.map((row) => format(row).trimEnd()),
  ];
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
