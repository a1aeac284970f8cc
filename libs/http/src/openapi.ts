import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { OpenAPIObject } from '@nestjs/swagger';
import { describeAccess, listRoutes } from '@signet/auth-guard';
import type { Route } from '@signet/auth-guard';
import { describeErrors, PROBLEM_COMPONENTS } from './openapi-errors.js';
import type { Operation } from './openapi-errors.js';
import { VERSIONED } from './preconditions/versioned.decorator.js';

const ENTITY_TAG = { type: 'string', example: '"7"' };

export interface Documentation {
  title: string;
  description: string;
}

/** Serves the OpenAPI document at `/docs/json` and the page that reads it at `/docs`. */
export function serveDocumentation(app: INestApplication, documentation: Documentation): void {
  SwaggerModule.setup('docs', app, () => documentOf(app, documentation), {
    jsonDocumentUrl: 'docs/json',
    yamlDocumentUrl: 'docs/yaml',
    customSiteTitle: documentation.title,
    swaggerOptions: { persistAuthorization: false },
  });
}

function documentOf(app: INestApplication, { title, description }: Documentation): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle(title)
    .setDescription(description)
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'at+jwt (RFC 9068)' }, 'bearer');
  const document = SwaggerModule.createDocument(app, builder.build());
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, ...PROBLEM_COMPONENTS.schemas },
    responses: PROBLEM_COMPONENTS.responses,
  };
  for (const route of listRoutes(app)) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    const item = document.paths[path];
    const operation = item?.[route.method.toLowerCase() as 'get'];
    if (!operation) continue;
    describeAccessOf(operation, route);
    describeVersion(operation, route.method);
    describeErrors(operation, route);
  }
  return document;
}

function describeAccessOf(operation: Operation, { access, handler }: Route): void {
  const who = describeAccess(access);
  Object.assign(operation, { 'x-access': who });
  operation.summary ||= sentence(handler);
  operation.description = [operation.description, `**Access:** ${who}`]
    .filter(Boolean)
    .join('\n\n');
  if (access.kind === 'token') operation.security = [{ bearer: [] }];
  else if (access.token) operation.security = [{}, { bearer: [] }];
}

/** `listMovements` → `List movements`, where no `@ApiOperation()` says it better. */
function sentence(handler: string): string {
  const words = handler.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What `@Versioned()` adds to a route's headers and answers. */
function describeVersion(operation: Operation, method: string): void {
  if (!(VERSIONED in operation)) return;
  Reflect.deleteProperty(operation, VERSIONED);
  for (const [status, answer] of Object.entries(operation.responses)) {
    if (!status.startsWith('2') || !answer || '$ref' in answer) continue;
    answer.headers = { ...answer.headers, ETag: { schema: ENTITY_TAG } };
  }
  if (method !== 'GET') return;
  operation.responses['304'] = { description: 'It is still what If-None-Match says' };
  const header = { name: 'If-None-Match', in: 'header' as const, schema: ENTITY_TAG };
  operation.parameters = [...(operation.parameters ?? []), header];
}
