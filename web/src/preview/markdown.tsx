/**
 * Markdown as it is mostly written: headings, paragraphs, lists, quotes, code, tables, links,
 * emphasis. It makes elements and never markup from text, so nothing in a file can run here.
 * Pictures and links lead out of the page only by http and https.
 */
import type { ReactNode } from 'react';
import { blocksOf } from './markdown-blocks.ts';
import type { Block } from './markdown-blocks.ts';

export function Markdown({ text }: { readonly text: string }): ReactNode {
  return (
    <article className="hf-markdown">
      {blocksOf(text).map((block, at) => <BlockView key={at} block={block} />)}
    </article>
  );
}

function BlockView({ block }: { readonly block: Block }): ReactNode {
  switch (block.kind) {
    case 'heading': {
      const Tag = HEADINGS[block.level - 1] ?? 'h6';
      return <Tag>{inline(block.text)}</Tag>;
    }
    case 'code': return <pre tabIndex={0}><code>{block.text}</code></pre>;
    case 'quote': return <blockquote>{inline(block.text)}</blockquote>;
    case 'line': return <hr />;
    case 'list': return <ListView block={block} />;
    case 'table': return <TableView block={block} />;
    case 'paragraph': return <p>{inline(block.text)}</p>;
  }
}

/** The page has a first heading of its own. */
const HEADINGS = ['h2', 'h3', 'h4', 'h5', 'h6', 'h6'] as const;

function ListView({ block }: { readonly block: Extract<Block, { kind: 'list' }> }): ReactNode {
  const items = block.items.map((item, at) => (
    <li key={at} style={{ marginLeft: `${item.depth * 22}px` }}>
      {item.isDone !== undefined && (
        <input type="checkbox" checked={item.isDone} readOnly disabled aria-label={item.text} />
      )}
      {inline(item.text)}
    </li>
  ));
  return block.isOrdered ? <ol>{items}</ol> : <ul>{items}</ul>;
}

function TableView({ block }: { readonly block: Extract<Block, { kind: 'table' }> }): ReactNode {
  return (
    <table>
      <thead>
        <tr>{block.head.map((cell, at) => <th key={at}>{inline(cell)}</th>)}</tr>
      </thead>
      <tbody>
        {block.rows.map((row, at) => (
          <tr key={at}>{row.map((cell, column) => <td key={column}>{inline(cell)}</td>)}</tr>
        ))}
      </tbody>
    </table>
  );
}

const INLINE = new RegExp([
  '`(?<code>[^`]+)`',
  '\\*\\*(?<strong>[^*]+)\\*\\*|__(?<strong2>[^_]+)__',
  '\\*(?<em>[^*\\s][^*]*)\\*|\\b_(?<em2>[^_\\s][^_]*)_\\b',
  '~~(?<gone>[^~]+)~~',
  '!?\\[(?<label>[^\\]]*)\\]\\((?<target>[^)\\s]+)[^)]*\\)',
  '(?<plain>https?://[^\\s<>)]+)',
].join('|'), 'g');

function inline(text: string): ReactNode[] {
  const parts: ReactNode[] = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    parts.push(text.slice(at, match.index));
    parts.push(inlinePart(match.groups ?? {}, match.index));
    at = match.index + match[0].length;
  }
  parts.push(text.slice(at));
  return parts;
}

function inlinePart(
  groups: Readonly<Record<string, string | undefined>>, key: number,
): ReactNode {
  const { code, strong, strong2, em, em2, gone, label, target, plain } = groups;
  if (code !== undefined) return <code key={key}>{code}</code>;
  if (strong ?? strong2) return <strong key={key}>{strong ?? strong2}</strong>;
  if (em ?? em2) return <em key={key}>{em ?? em2}</em>;
  if (gone !== undefined) return <del key={key}>{gone}</del>;
  const href = target ?? plain ?? '';
  const words = label ?? plain ?? '';
  if (!/^https?:\/\//i.test(href)) return <span key={key}>{words}</span>;
  return <a key={key} href={href} target="_blank" rel="noopener noreferrer">{words}</a>;
}
