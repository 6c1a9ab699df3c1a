/** Requests as people type them. Pure. */

export interface WantedRequest {
  readonly method: string;
  /** With everything in it. */
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Text that is sent as it is, or the name of a file whose content is. */
  readonly body: { readonly text: string } | { readonly fileName: string } | undefined;
  /** A token of the API is shown: its variable stands for it. */
  readonly isSignedIn: boolean;
  /** The answer comes bit by bit. */
  readonly isStream: boolean;
}

/** Safe in any shell that takes single quotes: nothing in them means anything. */
export function quoted(text: string): string {
  return `'${text.replaceAll('\'', '\'\\\'\'')}'`;
}

export function curlOf(wanted: WantedRequest): string {
  const { method, url, headers, body, isSignedIn, isStream } = wanted;
  const lines = [
    `curl ${methodOption(method)}${isStream ? '--no-buffer ' : ''}${quoted(url)}`,
    ...(isSignedIn ? ['-H "Authorization: Bearer $HOLDFAST_TOKEN"'] : []),
    ...headers.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
  ];
  if (body !== undefined) {
    lines.push('text' in body ? `--data-raw ${quoted(body.text)}`
      : `--data-binary ${quoted(`@${body.fileName}`)}`);
  }
  return lines.join(' \\\n  ');
}

function methodOption(method: string): string {
  if (method === 'GET') return '';
  return method === 'HEAD' ? '--head ' : `-X ${method} `;
}

/** The address of an operation. Parameters of the path that are not filled in stay as they are. */
export function addressOf(
  path: string, values: { path: ReadonlyMap<string, string>; query: ReadonlyMap<string, string> },
): string {
  const place = path.replaceAll(/\{(\w+)\}/g, (mark, name: string) => {
    const value = values.path.get(name) ?? '';
    return value === '' ? mark : encodeURIComponent(value);
  });
  const query = new URLSearchParams([...values.query].filter(([, value]) => value !== ''));
  const text = query.toString();
  return text === '' ? place : `${place}?${text}`;
}
