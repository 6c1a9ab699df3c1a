/** Holds answers against the OpenAPI document, with a validator that the server does not use. */
import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import type { Answer } from '../../nextcloud/testing/cloud-site.ts';

interface Response {
  content?: Record<string, { schema?: object }>;
}

interface Document {
  paths: Record<string, Record<string, { responses: Record<string, Response> }>>;
  components: { schemas: Record<string, object> };
}

const ROOT = '/api/v1';

export class Contract {
  readonly document: Document;
  readonly #ajv: Ajv2020;
  readonly #validators = new Map<string, ValidateFunction>();
  /** Operations and statuses that were met. */
  readonly seen = new Set<string>();

  constructor(document: object) {
    this.document = document as Document;
    this.#ajv = new Ajv2020({ strict: false, allErrors: true });
    formats.default(this.#ajv);
    this.#ajv.addSchema(document, 'api');
  }

  /** Fails when the document does not announce this answer. Passed over: addresses that are none,
   *  and methods that they do not take. */
  check(method: string, path: string, answer: Answer): void {
    const template = this.#templateOf(path.split('?', 1)[0] ?? '');
    if (template === undefined) return;
    const verb = (method === 'HEAD' ? 'GET' : method).toLowerCase();
    const responses = this.document.paths[template]?.[verb]?.responses;
    if (responses === undefined) return;
    const where = `${method} ${template} ${answer.status}`;
    this.seen.add(where);
    const response = responses[answer.status];
    assert.ok(response !== undefined, `${where} is not in the document: ${answer.text}`);
    if (method === 'HEAD' || answer.status === 304) return;
    const [type = ''] = String(answer.headers['content-type'] ?? '').split(';');
    const schema = response.content?.[type]?.schema;
    if (schema === undefined) {
      assert.ok(answer.text === '' || !type.includes('json'), `${where}: ${type} is not announced`);
      return;
    }
    const validate = this.#validatorOf(where, template, { verb, status: answer.status, type });
    const isRight = validate(JSON.parse(answer.text));
    assert.ok(isRight, `${where}: ${this.#ajv.errorsText(validate.errors)}\n${answer.text}`);
  }

  #templateOf(path: string): string | undefined {
    const given = `${ROOT}${path}`.split('/');
    const fits = (template: string): boolean => {
      const parts = template.split('/');
      return parts.length === given.length
        && parts.every((part, at) => part.startsWith('{') || part === given[at]);
    };
    const found = Object.keys(this.document.paths).filter(fits);
    return found.toSorted((a, b) => a.split('{').length - b.split('{').length)[0];
  }

  #validatorOf(
    where: string, template: string,
    { verb, status, type }: { verb: string; status: number; type: string },
  ): ValidateFunction {
    const known = this.#validators.get(where);
    if (known !== undefined) return known;
    const steps = ['paths', template, verb, 'responses', String(status), 'content', type, 'schema'];
    const pointer = steps.map((step) => encodeURIComponent(
      step.replaceAll('~', '~0').replaceAll('/', '~1'),
    )).join('/');
    const made = this.#ajv.compile({ $ref: `api#/${pointer}` });
    this.#validators.set(where, made);
    return made;
  }
}
