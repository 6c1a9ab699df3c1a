/** From the OpenAPI document to a client in TypeScript. Pure. */
import { docLines, typeOf } from './type-text.ts';
import type { Schema } from './type-text.ts';

interface Parameter {
  name: string;
  in: string;
  required: boolean;
  description?: string;
  schema: Schema;
}

type Content = Record<string, { schema?: Schema }>;

interface Entry {
  operationId: string;
  summary: string;
  tags: string[];
  description?: string;
  deprecated?: boolean;
  parameters: Parameter[];
  requestBody?: { content: Content };
  responses: Record<string, { content?: Content }>;
}

export interface ApiDocument {
  paths: Record<string, Record<string, Entry>>;
  components: { schemas: Record<string, Schema> };
}

const MADE = 'Made by tools/wire-client.ts from the operations of the server: change those, then '
  + 'run it.';
const JSON_TYPE = 'application/json';

/** Names and texts of the files. */
export function clientFiles(document: ApiDocument): [name: string, text: string][] {
  const operations = Object.entries(document.paths).flatMap(([path, entries]) =>
    Object.entries(entries).map(([method, entry]) => ({ path, method, entry })));
  const { schemas } = document.components;
  // A WebSocket is nothing that can be called.
  const called = operations.filter(({ entry: { responses } }) => !('101' in responses));
  return [
    ['client-schema.ts', typesText(schemas)],
    ['client.ts', clientText(called, Object.keys(schemas))],
  ];
}

interface Operation {
  path: string;
  method: string;
  entry: Entry;
}

function typesText(schemas: Record<string, Schema>): string {
  const types = Object.entries(schemas).map(([name, schema]) => {
    const doc = docLines(schema.description, '');
    const text = typeOf(schema, '');
    return text.startsWith('{') ? `${doc}export interface ${name} ${text}\n`
      : `${doc}export type ${name} =${text.startsWith('\n') ? '' : ' '}${text};\n`;
  });
  return `${docLines(`Shapes of the API. ${MADE}`, '')}\n${types.join('\n')}`;
}

function clientText(operations: Operation[], schemaNames: readonly string[]): string {
  const methods = operations.map(methodText).join('\n');
  const code = withoutComments(methods);
  const named = schemaNames.filter((name) => new RegExp(`\\b${name}\\b`).test(code));
  return docLines(`The client of the API, for browsers and for Node. ${MADE}`, '')
    + "import { ApiCaller } from './api-caller.ts';\n"
    + "import type { BytesBody, CallOptions } from './api-caller.ts';\n"
    + `import type {\n${wrapped(named)}\n} from './client-schema.ts';\n\n`
    + "export { ApiProblem } from './api-caller.ts';\n"
    + "export type { ApiOptions, BytesBody, CallOptions } from './api-caller.ts';\n"
    + `export type {\n${wrapped(schemaNames)}\n} from './client-schema.ts';\n\n`
    + '/** Every operation of the API is a method of the same name. */\n'
    + `export class ApiClient extends ApiCaller {\n${methods}}\n`;
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*\*[\s\S]*?\*\//g, '');
}

function wrapped(names: readonly string[]): string {
  const lines: string[] = [];
  let line = ' ';
  for (const name of names) {
    if (line.length + name.length > 97) {
      lines.push(line);
      line = ' ';
    }
    line += ` ${name},`;
  }
  return [...lines, line].join('\n');
}

function methodText({ path, method, entry }: Operation): string {
  const { operationId, summary, description, deprecated, parameters, requestBody } = entry;
  const shown = parameters.filter((one) => one.in !== 'header');
  const content = requestBody?.content;
  const body = content === undefined ? undefined
    : content[JSON_TYPE]?.schema === undefined ? 'BytesBody'
      : typeOf(content[JSON_TYPE].schema, '    ');
  const members = [
    ...shown.map(({ name, required, schema }) =>
      `${keyOf(name)}${required ? '' : '?'}: ${typeOf(schema, '    ')}`),
    ...(body === undefined ? [] : [`body: ${body}`]),
  ];
  const isOptional = body === undefined && shown.every(({ required }) => !required);
  const result = resultOf(entry);
  const text = description === undefined ? summary : `${summary}. ${description}`;
  const doc = docLines(`${text}${deprecated === true ? ' @deprecated' : ''}`, '  ');
  const queries = shown.filter((one) => one.in === 'query').map(({ name }) => `'${name}'`);
  const call = [
    `method: '${method.toUpperCase()}', path: '${path}'`,
    ...(queries.length > 0 ? [`query: [${queries.join(', ')}]`] : []),
    ...(result === 'Response' ? ["answer: 'response'"] : []),
  ];
  const args = members.length === 0 ? '' : `${argsText(members)}${isOptional ? ' = {}' : ''}, `;
  return `${doc}  ${operationId}(\n    ${args}options: CallOptions = {},\n`
    + `  ): Promise<${result}> {\n    return this.call({\n`
    + `${call.map((one) => `      ${one},\n`).join('')}`
    + `    }, ${members.length === 0 ? '{}' : 'args'}, options);\n  }\n`;
}

function argsText(members: readonly string[]): string {
  const line = `args: { ${members.join('; ')} }`;
  if (line.length < 65 && !line.includes('\n')) return line;
  return `args: {\n${members.map((one) => `      ${one};\n`).join('')}    }`;
}

function keyOf(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`;
}

/** What the first success answers. */
function resultOf({ responses }: Entry): string {
  const status = Object.keys(responses).find((one) => one.startsWith('2'));
  const content = status === undefined ? undefined : responses[status]?.content;
  if (content === undefined) return 'void';
  const schema = content[JSON_TYPE]?.schema;
  return schema === undefined ? 'Response' : typeOf(schema, '  ');
}
