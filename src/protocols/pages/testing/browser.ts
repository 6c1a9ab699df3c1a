/** As much of a browser as the pages need: cookies, forms, redirects. */
import type { CloudSite } from '../../nextcloud/testing/cloud-site.ts';
import type { Answer } from '../../nextcloud/testing/cloud-site.ts';
import { ask } from '../../nextcloud/testing/cloud-site.ts';

export interface Form {
  action: string;
  fields: Record<string, string>;
}

export class Browser {
  readonly cookies = new Map<string, string>();
  readonly #port: number;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(site: CloudSite, headers: Readonly<Record<string, string>> = {}) {
    this.#port = site.server.port;
    this.#headers = { 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0', ...headers };
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#send('GET', path, { headers });
  }

  post(
    path: string, fields: Record<string, string>, headers: Record<string, string> = {},
  ): Promise<Answer> {
    return this.#send('POST', path, {
      body: new URLSearchParams(fields).toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
    });
  }

  /** Fills in and sends the form with this action of a page that was shown. */
  submit(page: Answer, action: string, fields: Record<string, string> = {}): Promise<Answer> {
    const form = formsOf(page.text).find((one) => one.action === action);
    if (form === undefined) throw new Error(`no form ${action} in: ${page.text}`);
    return this.post(action, { ...form.fields, ...fields });
  }

  async signIn(user: string, password: string): Promise<Answer> {
    return this.submit(await this.get('/login'), '/login', { user, password });
  }

  async #send(
    method: string, path: string, options: { body?: string; headers?: Record<string, string> },
  ): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = {
      Accept: 'text/html', ...this.#headers, ...(cookie !== '' && { Cookie: cookie }),
      ...options.headers,
    };
    const { body } = options;
    const answer = await ask({
      port: this.#port, method, path, headers, ...(body !== undefined && { body }),
    });
    for (const text of answer.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(text) ?? [];
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return answer;
  }
}

export function formsOf(html: string): Form[] {
  return [...html.matchAll(/<form method="post" action="([^"]*)">(.*?)<\/form>/gs)].map((form) => {
    const fields: Record<string, string> = {};
    for (const [, name = '', value = ''] of (form[2] ?? '')
      .matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)) fields[name] = value;
    return { action: form[1] ?? '', fields };
  });
}
