/** Whether what a request says fits its schema. Unknown members are refused, and only what comes
 *  as text by its nature is taken as a number or a truth value. */
import { Compile } from 'typebox/compile';
import type { TObject, TSchema } from 'typebox';
import { HoldfastError } from '../../base/errors.ts';

type Part = 'body' | 'params' | 'querystring' | 'headers';

const PART: Readonly<Record<Part, string>> = {
  body: 'body', params: 'address', querystring: 'query', headers: 'headers',
};

const WHOLE_NUMBER = /^-?[0-9]{1,15}$/;

export type Check = (data: unknown) => { value: unknown } | { error: HoldfastError };

export function checkedBy(schema: TSchema, part: Part): Check {
  const validator = Compile(schema);
  return (data) => {
    const value = part === 'body' ? data : fromText(schema as TObject, data);
    if (validator.Check(value)) return { value };
    const [first] = validator.Errors(value);
    const at = `${PART[part]}${first?.instancePath ?? ''}`.slice(0, 200);
    const rule = first?.keyword === 'boolean' ? 'this member is not known here'
      : first?.message ?? 'it is missing';
    const message = `The request does not fit: ${rule}.`;
    return {
      error: new HoldfastError('invalid', 'rest/check', message, {
        code: 'request-shape', facts: { at },
      }),
    };
  };
}

/** Queries and addresses are text. */
function fromText(schema: TObject, data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return {};
  const types = schema.properties as Readonly<Record<string, { type?: string }>>;
  const read = ([name, raw]: [string, unknown]): [string, unknown] => {
    const type = Object.hasOwn(types, name) ? types[name]?.type : undefined;
    if (type === 'integer' && typeof raw === 'string' && WHOLE_NUMBER.test(raw)) {
      return [name, Number(raw)];
    }
    if (type === 'boolean' && (raw === 'true' || raw === 'false')) return [name, raw === 'true'];
    return [name, raw];
  };
  return Object.fromEntries(Object.entries(data).map(read));
}
