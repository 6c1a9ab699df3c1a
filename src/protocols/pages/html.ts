/** HTML in which every text is escaped unless it was made here. */

const ENTITY: Readonly<Record<string, string>> = {
  '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;',
};

/** Checked HTML: the only thing that is written as it stands. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type HtmlValue = string | number | Html | undefined | false | readonly HtmlValue[];

/** Every value is escaped, for element content and for attributes in double quotes alike.
 *  `undefined` and `false` write nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let text = strings[0] ?? '';
  values.forEach((value, at) => {
    text += textOf(value) + (strings[at + 1] ?? '');
  });
  return new Html(text);
}

function textOf(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(textOf).join('');
  return escapeHtml(String(value));
}

/** Control characters are left out, and so are those that turn the direction of what follows: a
 *  device may call itself anything, and its name must not disguise the words around it. */
export function escapeHtml(text: string): string {
  const visible = text.toWellFormed().replace(/[\p{Cc}\p{Bidi_Control}]/gu, '');
  return visible.replace(/[&<>"']/g, (found) => ENTITY[found] ?? found);
}
