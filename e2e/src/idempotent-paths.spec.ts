import { Client, SERVICES, world } from './system/world.ts';
import type { Service } from './system/world.ts';

interface Parameter {
  in: string;
  name: string;
  schema?: { format?: string; pattern?: string };
}

type Operations = Record<string, { parameters?: Parameter[] }>;

const client = new Client(world());

/** What the paths of a service's routes name that take an Idempotency-Key: `POST /a/{id}` and the `id`. */
async function namedIn(service: Service): Promise<[string, Parameter][]> {
  const { body } = await client.call(service, 'GET /docs/json');
  return Object.entries(body.paths as Record<string, Operations>).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { parameters = [] }]) =>
      parameters.some(({ name }) => name === 'Idempotency-Key')
        ? parameters
            .filter((parameter) => parameter.in === 'path')
            .map((parameter): [string, Parameter] => [`${method} ${path}`, parameter])
        : [],
    ),
  );
}

it('no route takes one Idempotency-Key twice because what it is for can be written in two ways', async () => {
  const named = (await Promise.all(SERVICES.map(namedIn))).flat();
  expect(named.length).toBeGreaterThan(8);
  // A key is known again whatever the letters of a UUID; of anything else one spelling must be taken.
  const inTwoWays = named.filter(([, { schema }]) => {
    const pattern = schema?.pattern;
    return schema?.format !== 'uuid' && (pattern === undefined || /[a-z]|\\[wpu]/.test(pattern));
  });
  expect(inTwoWays).toEqual([]);
});
