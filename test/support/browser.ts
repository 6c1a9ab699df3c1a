/** As much of a browser as signing in takes: cookies, redirects and forms. */
import { ask } from './dav-client.ts';
import type { Answer } from './dav-client.ts';

const REDIRECTS_MAX = 10;

export interface Form {
  readonly action: string;
  readonly method: string;
  /** What it would send as it stands, by name. */
  readonly fields: ReadonlyMap<string, string>;
  /** Names of the fields of each type: `password`, `text`, `hidden`. */
  readonly types: ReadonlyMap<string, string>;
  readonly text: string;
}

export interface Page {
  readonly url: string;
  readonly status: number;
  readonly text: string;
  readonly headers: Answer['headers'];
  readonly forms: readonly Form[];
}

export class Browser {
  readonly cookies = new Map<string, string>();

  async open(url: string): Promise<Page> {
    return this.#load('GET', url, undefined);
  }

  /** Fills in the fields by their type or name and sends the form. */
  async submit(page: Page, form: Form, filled: Readonly<Record<string, string>>): Promise<Page> {
    const values = new URLSearchParams([...form.fields]);
    for (const [key, value] of Object.entries(filled)) {
      const names = [...form.types].filter(([name, type]) => name === key || type === key);
      if (names.length === 0) throw new Error(`The form has no field ${key}: ${form.text}`);
      for (const [name] of names) values.set(name, value);
    }
    const action = new URL(form.action === '' ? page.url : form.action, page.url).href;
    if (form.method === 'GET') return this.open(`${action.split('?')[0]}?${values}`);
    return this.#load('POST', action, values.toString());
  }

  async #load(method: string, url: string, form: string | undefined): Promise<Page> {
    let [verb, at, body] = [method, url, form];
    for (let n = 0; n < REDIRECTS_MAX; n += 1) {
      const answer = await ask(verb, at.split('#')[0] ?? at, {
        headers: this.#headers(at, body), ...(body !== undefined && { body }),
      });
      this.#keepCookies(answer);
      const { location } = answer.headers;
      if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) {
        return pageOf(at, answer);
      }
      const target = new URL(location, at).href;
      if (!target.startsWith('http')) return pageOf(target, answer);
      at = target;
      if (answer.status < 307) [verb, body] = ['GET', undefined];
    }
    throw new Error(`More than ${REDIRECTS_MAX} redirects from ${url}.`);
  }

  #headers(url: string, body: string | undefined): Record<string, string> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    return {
      Accept: 'text/html', 'User-Agent': 'Mozilla/5.0 (a test)', 'Sec-Fetch-Site': 'same-origin',
      ...(cookie !== '' && { Cookie: cookie }),
      ...(body !== undefined && {
        'Content-Type': 'application/x-www-form-urlencoded', Origin: new URL(url).origin,
      }),
    };
  }

  #keepCookies({ headers }: Answer): void {
    for (const line of headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (name === undefined) continue;
      if (value === '' || /max-age=0(?!\d)/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value ?? '');
    }
  }
}

function pageOf(url: string, { status, text, headers }: Answer): Page {
  const forms = [...text.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)].map(([, tag, inside]) => {
    return formOf(attributesOf(tag ?? ''), inside ?? '');
  });
  return { url, status, text, headers, forms };
}

function formOf(attributes: ReadonlyMap<string, string>, text: string): Form {
  const fields = new Map<string, string>();
  const types = new Map<string, string>();
  for (const [, tag, raw] of text.matchAll(/<(input|button)\b([^>]*)>/g)) {
    const input = attributesOf(raw ?? '');
    const name = input.get('name');
    if (name === undefined) continue;
    const type = input.get('type') ?? (tag === 'button' ? 'submit' : 'text');
    types.set(name, type);
    const isOff = type === 'checkbox' && !input.has('checked');
    // Of several buttons the first is pressed, and only that one is sent.
    const submits = [...types.values()].filter((one) => one === 'submit');
    const isOther = type === 'submit' && submits.length > 1;
    if (!isOff && !isOther && !fields.has(name)) fields.set(name, input.get('value') ?? '');
  }
  const method = (attributes.get('method') ?? 'get').toUpperCase();
  return { action: attributes.get('action') ?? '', method, fields, types, text };
}

function attributesOf(tag: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name, value] of tag.matchAll(/([\w-]+)(?:="([^"]*)")?/g)) {
    found.set(name ?? '', unescape(value ?? ''));
  }
  return found;
}

function unescape(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&#39;', '\'').replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
